"""Every figure of the reference is looked at by a test, or stands here with the reason why nothing of ours computes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.readiness.reference import HERE, every_case

TESTS = Path(__file__).resolve().parents[1]
# By case, the tests that look at it.
WHERE = {
    "bfi_scales": "readiness/test_reliability.py",
    "bfi_agree_wrong_key": "readiness/test_reliability.py",
    "lq2002_scales": "readiness/test_reliability.py",
    "lq2002_aggregation": "readiness/test_agreement.py",
    "univbct_waves": "readiness/test_inference.py",
    "bfi_segments": "readiness/test_inference.py",
    "padjust_bh1995": "readiness/test_inference.py",
    "padjust_na": "readiness/test_inference.py",
    "confidence_intervals": "readiness/test_inference.py",
    "api_weights": "readiness/test_weighting.py",
    "drivers_bfi": "readiness/test_drivers.py",
    "drivers_iopsych_example": "readiness/test_drivers.py",
    "did_synthetic": "readiness/test_did.py",
    "edge_cases": "readiness/test_reliability.py readiness/test_agreement.py readiness/test_inference.py",
    "synthetic_reports": "readiness/test_display.py readiness/test_cuts.py",
    "sealing_trees": "readiness/test_sealing.py",
    "role_margin_min_cut": "readiness/test_cuts.py",
    "irt_lsat6": "competencies/test_calibration.py competencies/test_diagnostic.py",
    "irt_rasch_lsat6": "competencies/test_calibration.py",
    "competency_fusion": "competencies/test_likely.py",
}
# Cases of other parts of the platform: their own tests say what of them is compared.
OTHER_FAMILIES = {"sealing_trees", "role_margin_min_cut", "irt_lsat6", "irt_rasch_lsat6", "competency_fusion"}

FACTOR_FIT = "how well one factor fits is a researcher's question; a page shows alpha and omega"
PAIRED = "who answered twice is not kept (promise P2): two waves are compared as independent samples"
SCALE = {
    "mean_interitem_r": "a step inside alpha_standardised, which is compared: J r / (1 + (J - 1) r)",
    "alpha_raw_pairwise": "alpha is of complete cases: covariances of different people need not fit together",
    "omega_total_ml_observed_variance": "omega divides by the variance the factor implies, as the design has it",
    "omega_total_minres_cor": "loadings are by maximum likelihood, not by least squares",
    "cfa_chisq": FACTOR_FIT,
    "cfa_df": FACTOR_FIT,
    "cfa_cfi": FACTOR_FIT,
    "cfa_rmsea": FACTOR_FIT,
    "cfa_srmr": FACTOR_FIT,
}
NOT_COMPUTED = {
    "bfi_scales": SCALE,
    "lq2002_scales": SCALE,
    "lq2002_aggregation": {
        "ranvar": "given with the number of options: (A^2 - 1) / 12, inside rwg_j",
        "F": "the ratio of the two mean squares, both of which are compared; nothing is said by it",
        "mean_group_size": "inside icc1, which is compared",
        "eta2": "grows with the number of groups alone; icc1 is used",
        "reml_icc1": "variances come from the analysis of variance, which totals suffice for; REML needs all values",
        "reml_icc1_tolerance": "belongs to reml_icc1",
    },
    "univbct_waves": {
        "paired_n": PAIRED,
        "paired_diff": PAIRED,
        "paired_se": PAIRED,
        "paired_t": PAIRED,
        "paired_p": PAIRED,
        "r12": PAIRED,
    },
    "bfi_segments": {
        "scale": "a name",
        "bonferroni": "holm finds all that Bonferroni finds and more, and is wrong as seldom",
    },
    "drivers_bfi": {"lmg": "relative weights say nearly the same without going through all orders of the blocks"},
    "drivers_iopsych_example": {"source": "a name"},
    "did_synthetic": {
        "person_level_did": "training is given to units: people of one unit are not independent of each other",
        "trained_simple_prepost": "mean_change_trained by another name, and without the others no effect",
    },
}
# Entries whose keys are names of units, groups or categories, not of figures.
KEYED_BY_NAME = {
    "change_by_unit", "population", "weights", "margins", "stype", "sch.wide", "cell_weights",
    "classes", "class_of_node", "nodes", "dims", "published",
}  # fmt: skip


def figures(found: Any, *, keyed: bool = False) -> Iterator[str]:
    """The names of all figures in a case. Where all entries are alike they are instances, and their keys are names."""
    if isinstance(found, list):
        for entry in found:
            yield from figures(entry)
    elif isinstance(found, dict):
        shapes = {tuple(entry) if isinstance(entry, dict) else None for entry in found.values()}
        if not keyed and (len(found) < 2 or len(shapes) > 1 or None in shapes):
            yield from found
        for name, entry in found.items():
            yield from figures(entry, keyed=name in KEYED_BY_NAME)


def source_of(case: str) -> str:
    names = ["readiness/reference.py", *WHERE[case].split()]
    return "\n".join((TESTS / name).read_text(encoding="utf-8") for name in names)


@HERE
def test_no_case_of_the_reference_is_forgotten():
    assert set(every_case()) == set(WHERE)
    assert [case for case in WHERE if f'"{case}"' not in source_of(case)] == []


@HERE
def test_every_figure_of_the_reference_is_compared_or_said_not_to_be_computed():
    forgotten = []
    for case, found in every_case().items():
        if case in OTHER_FAMILIES:
            continue
        source = source_of(case)
        excused = NOT_COMPUTED.get(case, {})
        forgotten += [
            f"{case}: {name}"
            for name in sorted(set(figures(found)))
            if name not in excused and f'"{name}"' not in source
        ]
    assert forgotten == []


@HERE
def test_what_is_said_not_to_be_computed_is_in_the_reference_and_in_no_test():
    for case, excused in NOT_COMPUTED.items():
        names, source = set(figures(every_case()[case])), source_of(case)
        assert set(excused) <= names, case
        assert [name for name in excused if f'case["{name}"]' in source] == [], case


def test_names_of_figures_are_found_at_any_depth_and_names_of_units_are_not():
    found = {
        "alike": {"U1": {"n": 1}, "U2": {"n": 2}},
        "list": [{"p": 0.1}, {"q": 0.2}],
        "dims": {"why": {"mean": 1}, "benefit": None},
        "plain": {"x": 1},
    }
    assert set(figures(found)) == {"alike", "list", "dims", "plain", "n", "p", "q", "mean", "x"}
