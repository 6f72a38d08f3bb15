"""The items of CLAIM 2024 and of TRIPOD+AI by their numbers, named in our own words, and what fills each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """One item of a checklist.

    Attributes
    ----------
    number
        As in the checklist: ``"19"`` or ``"12a"``.
    name
        What it asks for, in a few words of ours.
    facts
        Names of the facts that fill it, as of `xaimri.card.facts`; none where a person alone can tell.
    """

    number: str
    name: str
    facts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checklist:
    """A reporting guideline.

    Attributes
    ----------
    key
        Its name in a file of answers.
    title
        Its name.
    citation
        Who published it, with the DOI.
    sections
        Headings and their items, in order.
    """

    key: str
    title: str
    citation: str
    sections: Mapping[str, tuple[Item, ...]]

    def items(self) -> Iterator[Item]:
        """Yield all items in order."""
        for section in self.sections.values():
            yield from section


CLAIM = Checklist(
    "claim",
    "CLAIM 2024",
    "Tejani, Klontzas, Gatti, Mongan, Moy, Park & Kahn (2024), Checklist for Artificial Intelligence in "
    "Medical Imaging (CLAIM): 2024 update, Radiology: Artificial Intelligence 6(4):e240300, "
    "doi:10.1148/ryai.240300",
    {
        "Title and abstract": (
            Item("1", "Kind of artificial intelligence, named", ("technology",)),
            Item("2", "Structured abstract"),
        ),
        "Introduction": (
            Item("3", "Background, and role of the method in care"),
            Item("4", "Aims and hypotheses"),
        ),
        "Study design": (
            Item("5", "Prospective or retrospective"),
            Item("6", "Goal of the study"),
        ),
        "Data": (
            Item("7", "Where the data come from", ("source",)),
            Item("8", "Who and what was included and excluded"),
            Item("9", "Preprocessing", ("preprocessing",)),
            Item("10", "Selection of parts of the data"),
            Item("11", "De-identification"),
            Item("12", "Missing data", ("missing",)),
            Item("13", "Acquisition of the images", ("acquisition",)),
        ),
        "Reference standard": (
            Item("14", "What the labels mean, and how they were obtained", ("classes",)),
            Item("15", "Why these labels"),
            Item("16", "Who labelled"),
            Item("17", "Labelling of the test cases"),
            Item("18", "Agreement between and within readers"),
        ),
        "Partitions and sample size": (
            Item("19", "How cases were dealt to training, validation and test", ("partition",)),
            Item("20", "Level at which the parts share nobody", ("disjoint", "split_audit")),
            Item("21", "Sample size that was planned"),
        ),
        "Model": (
            Item("22", "Architecture", ("architecture",)),
            Item("23", "Software and versions", ("software",)),
            Item("24", "Initial weights", ("initialisation",)),
        ),
        "Training": (
            Item("25", "Training", ("training",)),
            Item("26", "Choice of the final model", ("selection",)),
            Item("27", "Combination of several models or images", ("combination",)),
        ),
        "Evaluation": (
            Item("28", "Figures of performance", ("measures",)),
            Item("29", "Uncertainty and significance", ("uncertainty",)),
            Item("30", "Robustness", ("model_audit",)),
            Item("31", "Explainability"),
            Item("32", "Test on internal data", ("internal",)),
            Item("33", "Test on external data", ("external",)),
            Item("34", "Registration as a clinical trial"),
        ),
        "Results": (
            Item("35", "Numbers included and excluded", ("flow",)),
            Item("36", "Who is in each part", ("composition",)),
            Item("37", "Performance with its uncertainty", ("performance",)),
            Item("38", "Diagnostic accuracy and its precision", ("accuracy", "operating", "calibration")),
            Item("39", "Analysis of failures", ("confusion",)),
        ),
        "Discussion": (
            Item("40", "Limitations", ("limitations",)),
            Item("41", "What it means for practice, intended use"),
        ),
        "Other information": (
            Item("42", "Full protocol or further details"),
            Item("43", "Availability of software, model and data", ("identity",)),
            Item("44", "Funding, and the funders' role"),
        ),
    },
)

TRIPOD = Checklist(
    "tripod",
    "TRIPOD+AI",
    "Collins, Moons, Dhiman et al. (2024), TRIPOD+AI statement: updated guidance for reporting clinical "
    "prediction models that use regression or machine learning methods, BMJ 385:e078378, "
    "doi:10.1136/bmj-2023-078378",
    {
        "Title and abstract": (
            Item("1", "Title: model, population and outcome", ("technology",)),
            Item("2", "Abstract"),
        ),
        "Introduction": (
            Item("3a", "Context of care and reason"),
            Item("3b", "Target population, purpose and users"),
            Item("3c", "Known inequalities of health"),
            Item("4", "Objectives"),
        ),
        "Methods": (
            Item("5a", "Sources of the data", ("source",)),
            Item("5b", "Dates of the data"),
            Item("6a", "Setting and centres"),
            Item("6b", "Eligibility"),
            Item("6c", "Treatments"),
            Item("7", "Preparation and checks of the data", ("preprocessing", "split_audit")),
            Item("8a", "Outcome", ("classes",)),
            Item("8b", "Who assessed the outcome"),
            Item("8c", "Blinding of that assessment"),
            Item("9a", "Choice of the predictors"),
            Item("9b", "Predictors", ("predictors", "acquisition")),
            Item("9c", "Who assessed the predictors"),
            Item("10", "Sample size"),
            Item("11", "Missing data", ("missing",)),
            Item("12a", "Use of the data, partitions", ("partition", "disjoint")),
            Item("12b", "Handling of the predictors", ("preprocessing",)),
            Item("12c", "Model, its building and internal validation",
                 ("architecture", "initialisation", "training", "selection")),
            Item("12d", "Heterogeneity between clusters"),
            Item("12e", "Measures of performance", ("measures", "uncertainty")),
            Item("12f", "Updating of the model", ("temperature",)),
            Item("12g", "How predictions were calculated", ("output", "combination")),
            Item("13", "Imbalance of classes", ("imbalance",)),
            Item("14", "Fairness"),
            Item("15", "Output of the model", ("output",)),
            Item("16", "Differences of development and evaluation data"),
            Item("17", "Ethical approval and consent"),
        ),
        "Open science": (
            Item("18a", "Funding"),
            Item("18b", "Conflicts of interest"),
            Item("18c", "Protocol"),
            Item("18d", "Registration"),
            Item("18e", "Sharing of data"),
            Item("18f", "Sharing of code", ("software",)),
        ),
        "Patient and public involvement": (Item("19", "Involvement of patients and the public"),),
        "Results": (
            Item("20a", "Flow of participants", ("flow",)),
            Item("20b", "Characteristics of participants", ("composition",)),
            Item("20c", "Development and evaluation data compared"),
            Item("21", "Participants and outcomes in each analysis", ("composition",)),
            Item("22", "The full model", ("identity", "architecture")),
            Item("23a", "Performance with intervals",
                 ("performance", "accuracy", "operating", "calibration")),
            Item("23b", "Heterogeneity of performance"),
            Item("24", "Results of updating", ("temperature_gain",)),
        ),
        "Discussion": (
            Item("25", "Interpretation"),
            Item("26", "Limitations", ("limitations",)),
            Item("27a", "Poor or missing input in use"),
            Item("27b", "Interaction and expertise that users need"),
            Item("27c", "Next steps"),
        ),
    },
)  # fmt: skip

CHECKLISTS = (CLAIM, TRIPOD)
"""Both, in the order of a card."""
