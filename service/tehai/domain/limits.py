"""The one table of limits on the size of an input, enforced before anything is allocated."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Largest counts and values accepted; a larger input is refused by path."""

    input_bytes: int = 64 * 1024 * 1024
    workloads: int = 20_000
    members: int = 2_000
    pools: int = 500
    sites: int = 500
    accelerators: int = 200
    offers: int = 2_000
    programmes: int = 100
    source_notes: int = 20_000
    gang_options_per_workload: int = 32
    terms_per_reservation: int = 32
    steps_per_delivery: int = 64
    steps_per_path: int = 200
    fiscal_year_rows_per_list: int = 200
    routes: int = 20_000
    precedences: int = 40_000
    predecessors_per_workload: int = 64
    portings_per_workload: int = 200
    claims_made_per_programme: int = 20_000
    stackable_programmes: int = 8
    concentration_limits: int = 2_000
    pauses: int = 3
    block_days: int = 182
    strings_per_list: int = 1_000
    string_characters: int = 2_000
    id_characters: int = 63
    period_count: int = 1_020
    period_hours: int = 8_784
    horizon_fiscal_years: int = 60
    accelerators_in_one_place: int = 10_000_000
    work_normalised_hours: float = 1e12
    amount_yen: int = 10**15
    unit_price: int = 10**12
    # period_count * (pools + 3 * sites + precedences) + members * fiscal years * (1 + programmes): prices of a vector
    cells: int = 2_000_000
    # workloads * gang options * pools * periods: size of one pricing pass
    pricing_cells: int = 4_000_000_000


LIMITS = Limits()
