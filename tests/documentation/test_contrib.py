"""What is in contrib/ works as it stands, but for the paths of an installation."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from stigmem_cursor_plugin.checkpoints import schema
from tests.builders import checkpoint, entry
from tests.database import Database
from tests.running import BIN, ROOT, environment_for, metrics_of

CONTRIB = ROOT / "contrib"
PROMTOOL = shutil.which("promtool") or shutil.which(
    "promtool", path=ROOT / ".cache" / "prometheus" / "usr" / "bin"
)


def moved(text: str, directory: Path) -> str:
    """Return a file of contrib/ with the paths of this test."""
    return (
        text.replace("/opt/stigmem/bin/stigmem", str(BIN / "stigmem"))
        .replace("/var/lib/stigmem", str(directory))
        .replace("/var/backups/stigmem", str(directory))
    )


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd on this machine")
def test_systemd_units(tmp_path: Path) -> None:
    """``systemd-analyze verify`` has nothing to say."""
    for unit in (CONTRIB / "systemd").iterdir():
        (tmp_path / unit.name).write_text(moved(unit.read_text(), tmp_path))
    finished = subprocess.run(
        ["systemd-analyze", "verify", *sorted(path.name for path in tmp_path.iterdir())],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")


def test_units_are_hardened() -> None:
    """The services run as nobody special, see a read-only system, and report a failure."""
    for name in ("export", "check"):
        text = (CONTRIB / "systemd" / f"stigmem-cursor-{name}.service").read_text()
        for line in (
            "User=stigmem",
            "ProtectSystem=strict",
            "NoNewPrivileges=yes",
            "CapabilityBoundingSet=",
            "OnFailure=stigmem-cursor-failed@%n.service",
        ):
            assert f"\n{line}\n" in text


def cron_jobs() -> list[str]:
    """Return the commands of the crontab."""
    lines = (CONTRIB / "cron" / "stigmem-cursors").read_text().splitlines()
    jobs = [re.fullmatch(r"(?:[\d*/]+ ){5}stigmem (.*)", line) for line in lines]
    return [job[1] for job in jobs if job]


def test_cron_line_of_the_readme() -> None:
    """The line that the README gives for a crontab is the one that runs here."""
    assert f"*/15 * * * * {cron_jobs()[0]}\n" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_cron(node: Database, tmp_path: Path) -> None:
    """Every job of the crontab is silent when all is well, and speaks when it is not."""
    (tmp_path / "cursors").mkdir()
    assert len(cron_jobs()) == 3

    def printed(job: str) -> str:
        environment = environment_for(BIN, STIGMEM_DB_PATH=str(node.path))
        command = ["bash", "-c", moved(job, tmp_path)]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False
        ).stdout

    assert [printed(job) for job in cron_jobs()] == ["", "", ""]
    assert len(list((tmp_path / "cursors").glob("*.json"))) == 1
    node.run("DELETE FROM replication_cursors WHERE peer_id = 'id-of-node-b'")
    assert "stigmem://node-b (inbound) has no position" in printed(cron_jobs()[0])


def test_rules_use_metrics_that_are_there(node: Database, tmp_path: Path) -> None:
    """Every metric in the alert rules is one that cursor-check writes."""
    text = (CONTRIB / "prometheus" / "stigmem-cursors.rules.yml").read_text()
    used = set(re.findall(r"\bstigmem_cursor_\w+", text))
    (tmp_path / "c.json").write_text(checkpoint(entry("node-b")))
    assert used
    assert used <= {name for name, _ in metrics_of(tmp_path, "--db", "stigmem.db", "c.json")}


@pytest.mark.skipif(PROMTOOL is None, reason="no promtool on this machine")
def test_rules() -> None:
    """``promtool check rules`` finds nothing."""
    rules = CONTRIB / "prometheus" / "stigmem-cursors.rules.yml"
    finished = subprocess.run(
        [str(PROMTOOL), "check", "rules", rules], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    assert "SUCCESS: 4 rules found" in finished.stdout


QUIET_DAY = """
rule_files: [{rules}]
evaluation_interval: 15m
tests:
  - interval: 15m
    input_series:
      - {{series: stigmem_cursor_check_fit, values: 1x96}}
      - {{series: stigmem_cursor_check_timestamp_seconds, values: 0x96}}
      - {{series: 'stigmem_cursor_checkpoint_age_seconds{{source="cursors"}}', values: 600x96}}
      - {{series: 'stigmem_cursor_cursors{{state="lost"}}', values: 0x96}}
      - {{series: stigmem_cursor_table_missing, values: 0x96}}
      - {{series: 'stigmem_cursor_position_lag_seconds{{peer="quiet"}}', values: 9000000x96}}
    alert_rule_test:
{expected}
"""
EXPECTED = "      - {{eval_time: 24h, alertname: {name}}}"


@pytest.mark.skipif(PROMTOOL is None, reason="no promtool on this machine")
def test_no_alert_beside_a_daily_check(tmp_path: Path) -> None:
    """A day after a check that found nothing, with a quiet peer, no rule fires."""
    rules = CONTRIB / "prometheus" / "stigmem-cursors.rules.yml"
    names = re.findall(r"alert: (\w+)", rules.read_text())
    assert len(names) == 4
    test = tmp_path / "test.yml"
    expected = "\n".join(EXPECTED.format(name=name) for name in names)
    test.write_text(QUIET_DAY.format(rules=rules, expected=expected))
    finished = subprocess.run(
        [str(PROMTOOL), "test", "rules", test], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    test.write_text(test.read_text().replace("600x96", "4000x96"))
    late = subprocess.run([str(PROMTOOL), "test", "rules", test], capture_output=True, check=False)
    assert late.returncode == 1


def test_workflow(tmp_path: Path) -> None:
    """The workflow is one by GitHub's own schema, and its commands tell good files from bad."""
    path = CONTRIB / "github" / "check-checkpoints.yml"
    valid = subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert valid.returncode == 0, valid.stdout
    steps = re.findall(r"- run: (?:\|\n((?: {10}.*\n)+)|(.*)\n)", path.read_text())
    commands = [(block or line) for block, line in steps if "pip install" not in line]
    assert len(commands) == 2
    (tmp_path / "checkpoints").mkdir()
    twice = checkpoint(entry("node-b"), entry("node-b"))
    for text, statuses in ((checkpoint(entry("node-b")), [0, 0]), (twice, [0, 1]), ("{}", [1, 1])):
        (tmp_path / "checkpoints" / "cursors.json").write_text(text)
        assert [
            subprocess.run(
                ["bash", "-ec", command],
                cwd=tmp_path,
                env=environment_for(BIN),
                capture_output=True,
                check=False,
            ).returncode
            for command in commands
        ] == statuses


def test_editor(tmp_path: Path) -> None:
    """A checkpoint may name its schema, and the published schema is a file beside it."""
    text = checkpoint(entry("node-b"), **{"$schema": schema.CHECKPOINT})
    (tmp_path / "c.json").write_text(text)
    (tmp_path / schema.CHECKPOINT).write_text(schema.text())
    for command in (
        ["stigmem-cursor", "check", "c.json"],
        ["check-jsonschema", "--schemafile", schema.CHECKPOINT, "c.json"],
    ):
        finished = subprocess.run(
            [BIN / command[0], *command[1:]], cwd=tmp_path, capture_output=True, check=False
        )
        assert finished.returncode == 0, finished.stdout


@pytest.mark.slow
def test_pre_commit(tmp_path: Path) -> None:
    """Real pre-commit installs the hook from this repository and refuses a bad checkpoint."""
    repository = tmp_path / "checkpoints"
    repository.mkdir()
    source = tmp_path / "plugin"
    environment = environment_for(BIN, PRE_COMMIT_HOME=str(tmp_path / "home"))
    for command in (
        ["git", "clone", "--quiet", str(ROOT), str(source)],
        ["git", "init", "--quiet", str(repository)],
    ):
        subprocess.run(command, check=True, env=environment)

    def tried(text: str) -> subprocess.CompletedProcess[str]:
        (repository / "cursors.json").write_text(text)
        subprocess.run(["git", "add", "."], cwd=repository, check=True)
        return subprocess.run(
            [BIN / "pre-commit", "try-repo", source, "stigmem-cursor-check", "--all-files"],
            cwd=repository,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    good = tried(checkpoint(entry("node-b")))
    assert good.returncode == 0, good.stdout
    assert "Passed" in good.stdout
    bad = tried(checkpoint(entry("node-b"), entry("node-b")))
    assert bad.returncode == 1
    assert "cursors[1].peer_id: same peer and direction as cursors[0]" in bad.stdout
