"""Claims in the master: of workloads and of orders, with budgets, caps and exclusivity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tehai.engine.search import PlanArrays
from tehai.master.context import YEN, MasterContext
from tehai.master.linear_model import INFINITY, FloatArray, IntArray
from tehai.master.supply_part import SupplyPart


@dataclass(frozen=True)
class ClaimVariables:
    """Claims in million yen: of whom (workload or order option), programme, member and fiscal year index, each (N,).

    ``most_yen`` is the largest amount that any choice allows; ``holder`` the project (of a workload) or member (of an
    order) that has to choose within an exclusivity group.
    """

    variable: IntArray
    subject: IntArray
    programme: IntArray
    member: IntArray
    year: IntArray
    most_yen: FloatArray
    holder: IntArray

    def __len__(self) -> int:
        """Return the count of claims."""
        return len(self.variable)


class ClaimPart:
    """Variables and rows of claims; ``of_workloads`` and ``of_orders``."""

    def __init__(self, context: MasterContext, supply: SupplyPart) -> None:
        """Add everything but the claims' income in budgets."""
        self.context, self.supply = context, supply
        self._list_programmes()
        self._add_workload_claims()
        self._add_order_claims()
        self._add_limits()
        # Claim variable, and the choice it needs to be positive.
        self.choices: dict[int, int] = {}
        if context.integer:
            self._add_exclusivity(self.of_workloads)
            self._add_exclusivity(self.of_orders)

    def _list_programmes(self) -> None:
        """Programme of each column and slot, and what the column may claim from it, cut at the project's cap.

        The claims of a workload from a programme share one variable for each year. The claims of one column form a
        polymatroid, so rows over single years and over all of them describe the sum of all columns exactly as long as
        none touches three fiscal years. Without the cut half a column would allow the whole cap, and the linear master
        would be weaker than the bound.
        """
        context, arrays, size = self.context, self.context.arrays, self.context.instance.set_size
        table = np.full((len(context.instance.claim_sets) + 1, size), -1, dtype=np.int64)
        for s, programmes in enumerate(context.instance.claim_sets):
            table[s, : len(programmes)] = programmes
        # Claim set -1 takes the last row: no programme.
        self.programme_of_slot = table[context.columns.claim_set]
        project = arrays["project"][context.columns.workload]
        caps = np.full(self.programme_of_slot.shape, INFINITY)
        column, slot = np.nonzero(self.programme_of_slot >= 0)
        caps[column, slot] = arrays["project_cap_yen"][self.programme_of_slot[column, slot], project[column]]
        self.claimable = np.minimum(context.rows.claimable_yen, caps[:, :, None])
        self.claimable_in_all = np.minimum(context.rows.claimable_yen.sum(axis=2), caps)

    def _add_workload_claims(self) -> None:
        context, arrays, years = self.context, self.context.arrays, self.context.years
        programmes = max(int(arrays["programmes"]), 1)
        pair = np.where(
            self.programme_of_slot >= 0,
            context.columns.workload[:, None] * programmes + self.programme_of_slot,
            -1,
        )
        column, slot, year = np.nonzero((self.claimable > 0.0) & (pair >= 0)[:, :, None])
        yen = self.claimable[column, slot, year]
        cells, row_of = np.unique(pair[column, slot] * years + year, return_inverse=True)
        most = np.zeros(len(cells))
        np.maximum.at(most, row_of, yen)
        pairs, of_year = cells // years, cells % years
        workload, programme = pairs // programmes, pairs % programmes
        worth = arrays["claim_discount"].reshape(-1, years)[programme, of_year] if len(cells) else np.zeros(0)
        variables = context.model.add_variables(-worth, INFINITY, integer=False)
        self.of_workloads = ClaimVariables(
            variables, workload, programme, arrays["member"][workload], of_year, most, arrays["project"][workload]
        )
        rows = context.model.add_rows(len(cells), -INFINITY, 0.0)
        context.model.add_entries(rows, variables, np.ones(len(rows)))
        context.model.add_entries(rows[row_of], context.x[column], -yen * YEN)
        self._add_caps_of_workloads(pair, pairs)

    def _add_caps_of_workloads(self, pair: IntArray, pair_of_claim: IntArray) -> None:
        """All years together: at most what the chosen column allows, itself at most the project's cap."""
        context, arrays = self.context, self.context.arrays
        programmes = max(int(arrays["programmes"]), 1)
        capped = np.unique(pair_of_claim)
        if len(capped):
            cap = arrays["project_cap_yen"][capped % programmes, arrays["project"][capped // programmes]]
            capped = capped[np.isfinite(cap)]
        rows = context.model.add_rows(len(capped), -INFINITY, 0.0)
        mine = np.isin(pair_of_claim, capped)
        row = rows[np.searchsorted(capped, pair_of_claim[mine])]
        context.model.add_entries(row, self.of_workloads.variable[mine], np.ones(len(row)))
        column, slot = np.nonzero(np.isin(pair, capped) & (self.claimable_in_all > 0.0))
        row = rows[np.searchsorted(capped, pair[column, slot])]
        context.model.add_entries(row, context.x[column], -self.claimable_in_all[column, slot] * YEN)

    def _add_order_claims(self) -> None:
        context, arrays = self.context, self.context.arrays
        option = np.flatnonzero(arrays["option_programme"] >= 0)
        programme, year = arrays["option_programme"][option], arrays["option_claim_year"][option]
        offer = context.instance.offer_of_option[option]
        each = arrays["option_claim_yen"][option]
        worth = arrays["claim_discount"][programme, year] if len(option) else np.zeros(0)
        variables = context.model.add_variables(-worth, INFINITY, integer=False)
        owner = arrays["committed_owner"][offer]
        most = each * arrays["unit_limit"][offer]
        self.of_orders = ClaimVariables(variables, option, programme, owner, year, most, owner)
        rows = context.model.add_rows(len(option), -INFINITY, 0.0)
        context.model.add_entries(rows, variables, np.ones(len(rows)))
        context.model.add_entries(rows, self.supply.units[option], -each * YEN)

    def _add_limits(self) -> None:
        """Budgets of programmes, caps of members and of projects of several workloads."""
        context, arrays, years = self.context, self.context.arrays, self.context.years
        members = int(arrays["members"])
        budgets = context.add_limit_rows("programme", arrays["programme_budget_yen"])
        member_caps = context.add_limit_rows("member_cap", arrays["member_cap_yen"])
        for claims in (self.of_workloads, self.of_orders):
            ones = np.ones(len(claims))
            context.add_to_rows(budgets, claims.programme * years + claims.year, claims.variable, ones)
            cell = (claims.programme * members + claims.member) * years + claims.year
            context.add_to_rows(member_caps, cell, claims.variable, ones)
        listed = context.instance.native.project_rows()
        caps = np.array([arrays["project_cap_yen"][r, project] for r, project in listed], dtype=np.float64)
        project_rows = context.add_limit_rows("project", caps)
        row_of = {pair: i for i, pair in enumerate(listed)}
        claims = self.of_workloads
        pairs = zip(claims.programme.tolist(), claims.holder.tolist(), strict=True)
        cells = np.array([row_of.get(pair, -1) for pair in pairs], dtype=np.int64)
        context.add_to_rows(project_rows, cells, claims.variable, np.ones(len(claims)))

    def _add_exclusivity(self, claims: ClaimVariables) -> None:
        """A holder claims from at most one programme of each group: a claim needs its programme to be chosen.

        It is claims that need the choice and not columns, so that a column whose programme is not chosen stays open,
        without its claim.
        """
        context = self.context
        group = context.arrays["programme_group"][claims.programme]
        rivals: dict[tuple[int, int], set[int]] = {}
        for holder, g, programme in zip(claims.holder.tolist(), group.tolist(), claims.programme.tolist(), strict=True):
            if g >= 0:
                rivals.setdefault((holder, g), set()).add(programme)
        chosen: dict[tuple[int, int], int] = {}
        for (holder, _), programmes in rivals.items():
            if len(programmes) < 2:
                continue
            variables = context.model.add_variables(np.zeros(len(programmes)), 1.0, integer=True)
            row = context.model.add_rows(1, -INFINITY, 1.0)
            context.model.add_entries(row, variables, np.ones(len(programmes)))
            chosen |= {(holder, r): int(v) for r, v in zip(sorted(programmes), variables, strict=True)}
        for i in range(len(claims)):
            choice = chosen.get((int(claims.holder[i]), int(claims.programme[i])))
            if choice is not None:
                row = context.model.add_rows(1, -INFINITY, 0.0)
                context.model.add_entries(row, claims.variable[i : i + 1], np.ones(1))
                context.model.add_entries(row, np.array([choice]), np.array([-claims.most_yen[i] * YEN]))
                self.choices[int(claims.variable[i])] = choice

    def add_income(self, row_of_year: IntArray) -> None:
        """Add all claims to the portfolio budget of the year in which they are paid."""
        for claims in (self.of_workloads, self.of_orders):
            self.context.add_to_rows(row_of_year, self.pay_year(claims), claims.variable, -np.ones(len(claims)))

    def pay_year(self, claims: ClaimVariables) -> IntArray:
        """Return the fiscal year index in which claims are paid, -1 after the horizon."""
        table: IntArray = self.context.arrays["claim_pay_year"]
        return table[claims.programme, claims.year] if len(claims) else claims.year

    def read_claims(self, values: FloatArray, plan: PlanArrays, chosen: IntArray) -> None:
        """Write claims and claim sets of a solution into a plan; ``chosen`` are its columns.

        A programme of an exclusivity group that was not chosen leaves the claim set, and units of an option whose claim
        came to nothing move to the option without one.
        """
        instance, columns = self.context.instance, self.context.columns
        position = {programmes: s for s, programmes in enumerate(instance.claim_sets)}
        amounts: dict[tuple[int, int], FloatArray] = {}
        barred: set[tuple[int, int]] = set()
        claims = self.of_workloads
        for i in range(len(claims)):
            key = int(claims.subject[i]), int(claims.programme[i])
            if not self._is_open(values, int(claims.variable[i])):
                barred.add(key)
                continue
            amounts.setdefault(key, np.zeros(self.context.years))[claims.year[i]] = values[claims.variable[i]] / YEN
        for column in chosen:
            w, claim_set = int(columns.workload[column]), int(columns.claim_set[column])
            if claim_set < 0:
                continue
            slots = instance.claim_sets[claim_set]
            kept = tuple(r for r in slots if (w, r) not in barred)
            plan.claim_set[w] = position.get(kept, -1)
            for slot, r in enumerate(kept):
                most = self.claimable[column, slots.index(r)]
                plan.claims[w, slot] = np.clip(amounts.get((w, r), 0.0), 0.0, most)
        self._read_order_claims(values, plan)

    def _is_open(self, values: FloatArray, variable: int) -> bool:
        choice = self.choices.get(variable)
        return choice is None or bool(values[choice] > 0.5)

    def _read_order_claims(self, values: FloatArray, plan: PlanArrays) -> None:
        arrays, claims = self.context.arrays, self.of_orders
        for i, option in enumerate(claims.subject):
            most = plan.units[option] * arrays["option_claim_yen"][option]
            is_open = self._is_open(values, int(claims.variable[i]))
            yen = min(max(values[claims.variable[i]] / YEN, 0.0), most) if is_open else 0.0
            plan.order_claims[option] = yen
            if yen < 1.0 and plan.units[option]:
                plan.order_claims[option] = 0.0
                plan.units[self.without_claim(int(option))] += plan.units[option]
                plan.units[option] = 0

    def without_claim(self, option: int) -> int:
        """Return the option of the same offer and period that claims nothing: the last such one before it."""
        programme = self.context.arrays["option_programme"]
        while programme[option] >= 0:
            option -= 1
        return option
