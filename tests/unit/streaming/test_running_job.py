from dataclasses import dataclass

from streaming.running_job import root_cause


@dataclass
class JavaError:
    """The part of a Java exception that is read."""

    message: str
    cause: "JavaError | None" = None

    def getCause(self) -> "JavaError | None":
        return self.cause

    def toString(self) -> str:
        return self.message


def test_a_failed_job_is_reported_with_its_innermost_cause_in_one_line() -> None:
    failure = JavaError("job failed", JavaError("task failed", JavaError("topic x is unknown\nat line 1")))
    assert root_cause(failure) == "topic x is unknown"
