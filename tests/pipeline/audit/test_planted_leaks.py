"""Planted leaks are found and honest columns are left alone: one seed (make proof tries twenty)."""

from support.audit_checks import try_seed

SEED = 100


def test_with_history_every_planted_leak_is_found(tmp_path):
    trial = try_seed(tmp_path, SEED, history=True)
    assert trial.recall == 10, str(trial)
    assert len(trial.falsely) <= 1, str(trial)


def test_without_history_one_planted_leak_may_hide(tmp_path):
    trial = try_seed(tmp_path, SEED, history=False)
    assert trial.recall >= 9, str(trial)
    assert len(trial.falsely) <= 1, str(trial)
