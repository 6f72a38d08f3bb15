"""What a leak is worth: one nearest neighbour on the Alzheimer slices, under honest and dishonest splits.

``python benchmarks/leak.py --data FOLDER`` shrinks every slice to 32 x 32, gives each held-out one the
label of its nearest neighbour in training, and prints accuracy and balanced accuracy: with splits at
random and by subject, in 5 folds, with the true labels and with labels shuffled over the subjects; and
with the halves in which Kaggle ships the slices. A shuffled label has nothing to do with the brain, so
what is above chance there is recognition of the person.
"""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.model_selection import KFold, StratifiedGroupKFold
from sklearn.neighbors import KNeighborsClassifier

from xaimri.data import alzheimer, load_images


def folds(subjects, labels, by_subject, seed):
    """Yield training and test indices of 5 folds."""
    if not by_subject:
        return KFold(5, shuffle=True, random_state=seed).split(labels)
    return StratifiedGroupKFold(5, shuffle=True, random_state=seed).split(labels, labels, subjects)


def shuffled(labels, subjects, seed):
    """Give every subject the label of another one."""
    _, first, whose = np.unique(subjects, return_index=True, return_inverse=True)
    return np.random.default_rng(seed).permutation(labels[first])[whose]


def score(thumbnails, labels, splits):
    """Return accuracy and balanced accuracy of one nearest neighbour over all folds together."""
    guess = np.full(len(labels), -1)
    for train, test in splits:
        neighbour = KNeighborsClassifier(1).fit(thumbnails[train], labels[train])
        guess[test] = neighbour.predict(thumbnails[test])
    tested = guess >= 0
    return accuracy_score(labels[tested], guess[tested]), balanced_accuracy_score(
        labels[tested], guess[tested]
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder of the Alzheimer slices, with train/ and test/")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    dataset = alzheimer.load(options.data)
    subjects, labels = np.array(dataset.subjects), dataset.labels
    thumbnails = load_images(dataset, (32, 32)).reshape(len(dataset), -1)
    print(f"{len(dataset)} slices of {len(set(subjects))} subjects, seed {options.seed}")
    print(f"{'split':16s}{'labels':26s}accuracy  balanced accuracy")
    for by_subject in (False, True):
        name = "by subject" if by_subject else "random slices"
        for how, given in (
            ("true", labels),
            ("shuffled over subjects", shuffled(labels, subjects, options.seed)),
        ):
            figures = score(thumbnails, given, folds(subjects, given, by_subject, options.seed))
            print(f"{name:16s}{how:26s}{figures[0]:8.3f}{figures[1]:19.3f}")
    halves = np.array(["test" in case.source.parts for case in dataset])
    if 0 < halves.sum() < len(halves):
        figures = score(thumbnails, labels, [(np.flatnonzero(~halves), np.flatnonzero(halves))])
        print(f"{'as shipped':16s}{'true':26s}{figures[0]:8.3f}{figures[1]:19.3f}")


if __name__ == "__main__":
    main()
