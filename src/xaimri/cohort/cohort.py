"""A cohort that was explained: its rows, and what they answer together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, get_args

from xaimri.adapters.options import ModelLike
from xaimri.arguments import check_arguments
from xaimri.atlas.atlas import AtlasLike, Names
from xaimri.cohort.chosen import Chosen
from xaimri.cohort.class_means import ClassColumn, ClassMean, class_means
from xaimri.cohort.export import ExportForm, write_export
from xaimri.cohort.judged import judged_metrics
from xaimri.cohort.judgement import judgement_of
from xaimri.cohort.judging import judge_cohort
from xaimri.cohort.kept_regions import regions_of
from xaimri.cohort.manifest import FILE, Manifest
from xaimri.cohort.place import place_of
from xaimri.cohort.progress import CohortWatcher, Progress, progress_at
from xaimri.cohort.schema import arrow
from xaimri.cohort.store import Store
from xaimri.cohort.table import Amount, RegionCohort
from xaimri.errors import InvalidInput, shown
from xaimri.evaluation.bootstrap import Bootstrap
from xaimri.judgement import Judgement
from xaimri.judging.judge import Metrics, named_metrics
from xaimri.kinds import Anything, Function
from xaimri.rules import Choice, OrNone, WholeNumber
from xaimri.sources import Sources


@dataclass(frozen=True, eq=False, repr=False)
class Cohort(Chosen):
    """The rows of a cohort, one for each case and method; `xaimri.cohort.open` returns one.

    Attributes
    ----------
    store
        Where the rows are.
    where
        What rows are chosen, as an expression of Arrow; None for all.
    """

    @property
    def at_work(self) -> Progress | None:
        """How far the run is that writes rows now, in whatever process; None where none does."""
        return progress_at(self.store.place)

    def __repr__(self) -> str:
        count, done = self.manifest.count, self.done
        state = "finished" if done == count else f"{done:,} done"
        chosen = "" if self.where is None else ", filtered"
        return f"<Cohort: {count:,} cases by {' and '.join(self.methods)}, {state}{chosen}>"

    @check_arguments(by=Choice(get_args(ClassColumn)))
    def class_means(
        self, method: str | None = None, by: ClassColumn = "label", *, independent: bool = False
    ) -> tuple[ClassMean, ...]:
        """Return the mean map of each class with its standard error over subjects.

        A subject's cases count once in a class, by their mean. Few maps are in memory at once.

        Parameters
        ----------
        method
            Can be left out where there is but one.
        by
            Whose maps make a class: by the cases' own labels, the predicted or the explained class. By label
            or prediction maps of several targets may be averaged; ``targets`` of each mean counts them.
        independent
            True states that each case without a subject is of a person of its own.

        Returns
        -------
        tuple of ClassMean
            By name.

        Raises
        ------
        InvalidInput
            If the maps lie on different grids or weren't kept, or labels or subjects are not known.
        """
        name = self._method(method)
        return class_means(self.still().mapped().filter(method=name), by, independent)

    @check_arguments(
        atlas=Anything(), names=Anything(), images=Anything(),
        resamples=WholeNumber(1, most=10**7), flips=WholeNumber(1, most=10**7),
    )  # fmt: skip
    def regions(
        self,
        atlas: AtlasLike | Mapping[str, AtlasLike],
        names: Names | None = None,
        *,
        method: str | None = None,
        amount: Amount = "enrichment",
        same_space: bool = False,
        images: Sources | None = None,
        independent: bool = False,
        confidence: float = 0.95,
        resamples: int = 2000,
        flips: int = 10_000,
        seed: int = 0,
    ) -> RegionCohort:
        """Tell what the maps of a method hold in each region of an atlas, and where that is no chance.

        As :func:`xaimri.by_region` of the kept maps; a single one is in memory at a time. Each image is read
        anew, to find the brain on it.

        Parameters
        ----------
        atlas, names, same_space
            As of :meth:`xaimri.Atlas.read`; or a mapping with an atlas for each case, such as its own
            segmentation. It is brought to each scan; nothing is registered here.
        method
            Can be left out where there is but one.
        amount, independent, confidence, resamples, flips, seed
            As of :func:`xaimri.by_region`.
        images
            As ``cases`` in :func:`xaimri.explain_cohort`: needed of images in memory, and of such that lie
            elsewhere now.

        Returns
        -------
        RegionCohort
            One row per region: mean over subjects, interval, and p corrected for the number of regions. Notes
            count the cases that are left out: those without a map, and those whose image is gone.

        Raises
        ------
        InvalidInput
            If the atlas can't be laid on a scan, subjects are missing, or no map is kept.
        """
        chosen = self.still().filter(method=self._method(method))
        return regions_of(
            chosen, atlas, names, same_space=same_space, amount=amount, images=images,
            independent=independent, bootstrap=Bootstrap(resamples, confidence, seed), flips=flips,
        )  # fmt: skip

    @check_arguments(
        metrics=Anything(), model=Anything(), images=Anything(), progress=OrNone(Function(("told",)))
    )
    def judge(
        self,
        metrics: Metrics = ("deletion", "insertion"),
        *,
        model: ModelLike | None = None,
        images: Sources | None = None,
        independent: bool = False,
        confidence: float = 0.95,
        resamples: int = 2000,
        seed: int = 0,
        progress: CohortWatcher | None = None,
        **options: Any,
    ) -> Judgement:
        """Measure every map by metrics, into columns beside the rows; the same call goes on after a stop.

        Maps are not made again: a kept one is brought back to the network's grid, where
        :func:`xaimri.evaluate_explanations` measures, and gets the same values.

        Parameters
        ----------
        metrics
            As of :func:`xaimri.evaluate_explanations`. One by one they can be added at any time; one that is
            there with other settings is refused.
        model, **options
            As of :func:`xaimri.explain_all`: the model that explained the cohort, and its options. It can be
            left out where it was read from a file that is still there.
        images
            As ``cases`` in :func:`xaimri.explain_cohort`: needed of images in memory, of such that lie
            elsewhere now, and for the masks of a data set, which metrics of localisation ask for.
        independent, confidence, resamples, seed
            Of the intervals over subjects, as of :func:`xaimri.evaluate_explanations`.
        progress
            Called with a `Progress` after every part; one that returns ``False`` stops.

        Returns
        -------
        Judgement
            As of `judgement`, of these metrics. What can't be measured is a row with its ``failure``.

        Raises
        ------
        InvalidInput
            If the model is another one, a metric is there with other settings or other masks, the rows are
            some of the cohort, or an argument can't be used.
        StorageFault
            If a run is writing there, or the system can't write.
        Cancelled
            If ``progress`` returned ``False``; what is written stays.

        Notes
        -----
        Costs what each metric's docstring says, for each map; few maps are in memory at once. Of images with
        fewer pixels than the network takes, a map that is not one of cells or regions has lost a little, so
        that its values may differ from those of :func:`xaimri.evaluate_explanations`.
        """
        named = named_metrics(metrics)
        Bootstrap(resamples, confidence, seed)  # in range, or told before hours of work
        judge_cohort(self, self.store, named, model, images, independent, progress, options)
        return self.judgement(
            list(named), independent=independent, confidence=confidence, resamples=resamples, seed=seed
        )

    @check_arguments()
    def judgement(
        self,
        metrics: str | Sequence[str] | None = None,
        *,
        independent: bool = False,
        confidence: float = 0.95,
        resamples: int = 2000,
        seed: int = 0,
        curves: bool = False,
    ) -> Judgement:
        """Return what `judge` wrote of the rows, with intervals over subjects; nothing is measured.

        Parameters
        ----------
        metrics
            Names; None takes all that were asked for.
        independent, confidence, resamples, seed
            As of `judge`.
        curves
            Whether the curves are read too, which `xaimri.charts` draws.

        Raises
        ------
        InvalidInput
            If the cohort was not judged by one of them, or subjects are missing.
        """
        known = judged_metrics(self.store)
        names = known if metrics is None else [metrics] if isinstance(metrics, str) else list(metrics)
        if not names:
            raise InvalidInput("the cohort was not judged yet: use `judge`.")
        for name in names:
            if name not in known:
                raise InvalidInput(f"the cohort was not judged by {shown(name)} yet: use `judge`.")
        Bootstrap(resamples, confidence, seed)
        return judgement_of(
            self, self.store, names, independent=independent, interval=(confidence, resamples, seed),
            curves=curves,
        )  # fmt: skip

    @check_arguments(form=Choice(get_args(ExportForm)))
    def export(self, folder: str | Path, form: ExportForm = "csv") -> Path:
        """Write the rows into a new folder, whole or not at all; one map at a time is in memory.

        Parameters
        ----------
        folder
            Not there yet, or empty.
        form
            ``"csv"``: ``cohort.csv`` of all rows, where words that a spreadsheet would take for a formula
            begin with an apostrophe. ``"nii.gz"``: each map on its scan's own grid, as of
            :meth:`xaimri.Explanation.to_nifti`. ``"png"``: a figure of each; its image is read anew.
            ``files.csv`` tells of which row each file is, and ``failures.csv`` which can't be written.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        InvalidInput
            If the folder holds something, or no map can be written.
        StorageFault
            If the system can't write.
        """
        return write_export(self, folder, form)


@check_arguments(folder=Anything())
def open_cohort(folder: str | PathLike[str]) -> Cohort:
    """Open a cohort that was explained, or is at work; its rows are read when they are asked for.

    Parameters
    ----------
    folder
        As of ``out=`` in :func:`xaimri.explain_cohort`.

    Raises
    ------
    InvalidInput
        If no cohort is there, or it is of another version.
    """
    arrow()
    place = place_of(folder)
    manifest = Manifest.read(place)
    if manifest is None:
        raise InvalidInput(
            f"{place.name} holds no cohort (no {FILE}): give the folder that one was written to."
        )
    return Cohort(Store(place, manifest))
