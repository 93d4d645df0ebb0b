"""Linear and mixed-integer programs as arrays, handed to HiGHS whole."""

from dataclasses import dataclass, field

import highspy
import numpy as np
from numpy.typing import ArrayLike, NDArray

from infra.contracts.inventory import SolverOptions

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
INFINITY = float(highspy.kHighsInf)


@dataclass(frozen=True)
class Outcome:
    """What a solver came to.

    Attributes:
        values: of the columns.
        prices: what one more unit of each row's bound is worth; only for programs without whole numbers.
        proven: whether the values are optimal within the gap; false where the time limit ended the solve.
        gap: between the values' worth and the bound on it; None without whole numbers.
        seconds: that the solver itself took.
    """

    values: Floats
    prices: Floats
    proven: bool
    gap: float | None
    seconds: float


@dataclass
class LinearModel:
    """A program to be maximised, put together block by block."""

    _columns: list[Floats] = field(default_factory=list)
    _rows: list[Floats] = field(default_factory=list)
    _terms: list[tuple[Integers, Integers, Floats]] = field(default_factory=list)
    _column_count: int = 0
    _row_count: int = 0

    @property
    def column_count(self) -> int:
        """Variables so far."""
        return self._column_count

    def add_columns(
        self, worth: ArrayLike, lower: ArrayLike, upper: ArrayLike, whole: bool = False
    ) -> Integers:
        """Variables with their worth per unit; their numbers."""
        block = np.stack(np.broadcast_arrays(*map(_floats, (worth, lower, upper)), float(whole)))
        self._columns.append(block)
        self._column_count += block.shape[1]
        return np.arange(self._column_count - block.shape[1], self._column_count)

    def add_rows(self, lower: ArrayLike, upper: ArrayLike) -> Integers:
        """Constraints lower <= terms <= upper; their numbers."""
        block = np.stack(np.broadcast_arrays(_floats(lower), _floats(upper)))
        self._rows.append(block)
        self._row_count += block.shape[1]
        return np.arange(self._row_count - block.shape[1], self._row_count)

    def add_terms(self, rows: ArrayLike, columns: ArrayLike, coefficients: ArrayLike) -> None:
        """Coefficient x column is a term of the row; for one row and one column each, or broadcast."""
        terms = np.broadcast_arrays(rows, columns, _floats(coefficients))
        row, column, coefficient = (each.ravel() for each in terms)
        self._terms.append((row.astype(np.int64), column.astype(np.int64), coefficient))

    def maximise(self, options: SolverOptions, integers: bool = True) -> Outcome | None:
        """The best values found within the time limit; None where the solver found none.

        Args:
            options: one thread and a fixed seed make a solve repeatable.
            integers: false for the relaxation in which whole numbers may be fractions.
        """
        solver = _solver(options)
        solver.passModel(self._program(integers))
        solver.run()
        info, status = solver.getInfo(), solver.getModelStatus()
        feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        if not feasible:
            return None
        solution = solver.getSolution()
        whole = integers and any(block[3].any() for block in self._columns)
        return Outcome(
            values=np.array(solution.col_value),
            prices=np.abs(np.array(solution.row_dual)),
            proven=status == highspy.HighsModelStatus.kOptimal,
            gap=float(info.mip_gap) if whole else None,
            seconds=float(solver.getRunTime()),
        )

    def _program(self, integers: bool) -> highspy.HighsLp:
        worth, lower, upper, whole = np.concatenate(self._columns, axis=1)
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = self._column_count, self._row_count
        program.col_cost_, program.col_lower_, program.col_upper_ = -worth, lower, upper
        program.row_lower_, program.row_upper_ = np.concatenate(self._rows, axis=1)
        if integers and whole.any():
            kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
            program.integrality_ = [kinds[int(each)] for each in whole]
        rows, columns, coefficients = (
            np.concatenate([terms[part] for terms in self._terms]) for part in range(3)
        )
        order = np.argsort(rows, kind="stable")
        starts = np.searchsorted(rows[order], np.arange(self._row_count + 1))
        matrix = program.a_matrix_
        matrix.format_ = highspy.MatrixFormat.kRowwise
        matrix.num_col_, matrix.num_row_ = self._column_count, self._row_count
        matrix.start_, matrix.index_, matrix.value_ = starts, columns[order], coefficients[order]
        return program


def _floats(values: ArrayLike) -> Floats:
    return np.atleast_1d(np.asarray(values, dtype=np.float64))


def _solver(options: SolverOptions) -> highspy.Highs:
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("mip_rel_gap", options.relative_gap)
    solver.setOptionValue("threads", options.threads)
    solver.setOptionValue("time_limit", options.time_limit_seconds)
    solver.setOptionValue("random_seed", options.seed)
    return solver
