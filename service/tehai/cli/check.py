"""``tehai check``."""

from __future__ import annotations

import click

from tehai.cli.exit_codes import ExitCode
from tehai.cli.inputs import read_bytes, source_name
from tehai.cli.outputs import Format, output_option, print_object, print_violations


@click.command("check")
@click.argument("problem")
@output_option
def command(problem: str, output: Format) -> ExitCode:
    """Say everything that is wrong with PROBLEM, or what is worth knowing of it.

    PROBLEM is a YAML or JSON file; "-" reads standard input.
    """
    from tehai.pipeline_check import check_text
    from tehai.validation import notes
    from tehai.wire import problem_sha256

    found, violations = check_text(read_bytes(problem), source_name=source_name(problem))
    if found is None:
        print_violations(violations, output)
        return ExitCode.INVALID_INPUT
    remarks, digest = notes(found), problem_sha256(found)
    if output != "table":
        value = {"valid": True, "violations": [], "notes": list(remarks), "problem_sha256": digest}
        print_object(value, output)
        return ExitCode.OK
    click.echo(f"valid: {len(found.workloads)} workloads, {len(found.pools)} pools, {len(found.offers)} offers")
    click.echo(f"SHA-256 {digest}")
    for remark in remarks:
        click.echo(f"note: {remark}")
    return ExitCode.OK
