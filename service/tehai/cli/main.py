"""The command ``tehai``; each command is loaded when it is called, so that starting is quick."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from tehai.cli.exit_codes import MEANINGS, ExitCode
from tehai.cli.failures import Failure

# Name of each command: the module that has it and the first line of its help.
COMMANDS = {
    "solve": ("tehai.cli.solve", "Plan where the compute of a problem comes from."),
    "demo": ("tehai.cli.demo", "Solve a ready problem."),
    "check": ("tehai.cli.check", "Say everything that is wrong with a problem, without solving it."),
    "verify": ("tehai.cli.verify", "Check a saved plan and its bound against a problem, independently of the solver."),
    "roll": ("tehai.cli.roll", "Make the problem that a plan leaves on a later day."),
    "evaluate": ("tehai.cli.evaluate", "Bill a plan under a changed rate, price or programme."),
    "diff": ("tehai.cli.diff", "Say what is different between two plans."),
    "solves": ("tehai.cli.solves", "Create, follow, list, cancel and delete solves on a server."),
    "quote": ("tehai.cli.quote", "Price workloads against a plan on a server."),
    "serve": ("tehai.cli.serve", "Answer over gRPC until told to end."),
    "keys": ("tehai.cli.keys", "Make, list and revoke API keys of a server."),
    "version": ("tehai.cli.version", "Print the version."),
}


class LazyGroup(click.Group):
    """A group that imports a command only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - signature of click
        """Return the names in the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """Load one command; None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


EPILOG = "Exit codes: " + "; ".join(f"{code.value} {text}" for code, text in MEANINGS.items()) + "."


@click.command(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Tehai plans where AI training compute comes from, and proves how good the plan is."""


def main() -> None:
    """Run the command line and end the process with one of the documented codes."""
    code = run()
    sys.stdout.flush()
    sys.stderr.flush()
    if code == ExitCode.INTERRUPTED:
        # A solve may still be inside native code; it must not hold up the end.
        os._exit(code)
    sys.exit(code)


def run() -> int:
    """Run the command line and return its code; every exception has its place here."""
    try:
        outcome = cli.main(standalone_mode=False)
    except Failure as error:
        error.show()
        return error.code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader of our output (head, less) has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    return outcome if isinstance(outcome, int) else ExitCode.OK


if __name__ == "__main__":
    main()
