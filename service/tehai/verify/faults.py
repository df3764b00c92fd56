"""Every kind of fault that the second opinion knows, by stable code."""

from __future__ import annotations

from dataclasses import dataclass

from tehai.domain.violation import Violation


@dataclass(frozen=True, slots=True)
class Fault:
    """A stable code, what is wrong in one clause, and what to do about it."""

    code: str
    title: str
    action: str


_RESOLVE = "solve the problem again with this version of Tehai"
_BILL = "recompute the bill from the placements, orders, uses and claims"
_IDS = "use an id of the problem this plan belongs to"

FAULTS: tuple[Fault, ...] = (
    Fault("V2001", "plan has another schema version", _RESOLVE),
    Fault("V2002", "plan belongs to another problem", "verify the plan with the problem it was solved for"),
    Fault("V2101", "unknown workload", _IDS),
    Fault("V2102", "workload neither placed nor listed as not run", "place it or list it in not_run_workload_ids"),
    Fault("V2103", "workload placed or listed more than once", "keep one entry for the workload"),
    Fault("V2104", "workload both placed and listed as not run", "remove one of the two entries"),
    Fault(
        "V2105", "placement with no segment, or more than its pauses allow", "give one segment and one for each pause"
    ),
    Fault("V2106", "unknown pool", _IDS),
    Fault("V2107", "gang is not an option of the workload", "use a number of accelerators listed in gang_options"),
    Fault("V2108", "gang over the pool's limit", "use a smaller gang or another pool"),
    Fault("V2109", "software family does not run on the accelerator", "use a pool whose accelerator lists the family"),
    Fault("V2110", "gang has too little memory", "use a larger gang or an accelerator with more memory"),
    Fault("V2111", "sovereignty rule does not accept the site", "use a pool at a site the workload's rule accepts"),
    Fault("V2112", "start before the release", "start in the release period or later"),
    Fault("V2113", "finish after the deadline", "start earlier or use a faster column"),
    Fault("V2114", "more accelerators than can ever be live", "use a smaller gang or other periods"),
    Fault(
        "V2115",
        "run hours differ from the work",
        "set run_hours to work / (accelerators * throughput * efficiency) and the overhead of each pause",
    ),
    Fault("V2116", "start date is not the first day of the start period", "set start_date from start_period"),
    Fault("V2117", "no route for the workload's data", "use a pool at a site with a route for the data"),
    Fault("V2118", "locked placement is changed", "keep pool, gang and start of the current plan"),
    Fault("V2119", "workload moved by a pause", "go on in the same pool with the same gang"),
    Fault("V2120", "segments without a pause between them", "leave a period between two segments, in order of time"),
    Fault("V2121", "pause within a period or with no work left", "pause at the end of a period, with work left"),
    Fault("V2201", "reservation order of no reservation offer", "order from a reservation of the problem"),
    Fault("V2202", "term is not one of the offer's", "use the position of a term in the offer, from 0"),
    Fault("V2203", "term begins outside its window", "begin in a period the offer allows"),
    Fault("V2204", "term begins before the lead time", "begin at or after lead_time_periods"),
    Fault("V2205", "number of blocks is not positive", "leave out orders of nothing"),
    Fault("V2206", "more blocks live than the offer has", "order fewer blocks or at other times"),
    Fault("V2207", "date of a reservation order is not that of its period", "set start_date from start_period"),
    Fault("V2211", "purchase order of no purchase offer", "order from a purchase of the problem"),
    Fault("V2212", "order in a period that is not allowed", "order in a period of the window that still delivers"),
    Fault("V2213", "number of units is not positive", "leave out orders of nothing"),
    Fault("V2214", "more units ordered than the offer has", "order fewer units"),
    Fault("V2215", "date of a purchase order is not that of its period", "set order_date from order_period"),
    Fault("V2221", "use of an unknown offer", _IDS),
    Fault("V2222", "offer has more than one use", "give one use for each offer"),
    Fault("V2223", "use has not one figure for each period", "give period_count figures"),
    Fault("V2224", "use is not a finite number", "give finite accelerator-hours"),
    Fault("V2225", "use is negative", "give accelerator-hours of zero or more"),
    Fault("V2226", "use beyond the capacity that is live", "use at most the accelerator-hours offered"),
    Fault("V2227", "allocation used beyond its hours", "use at most the hours of the fiscal year's quota"),
    Fault("V2231", "capacity block order of no capacity block offer", "order from a capacity block of the problem"),
    Fault("V2232", "term of a capacity block is not one of the offer's", "use the position of a term, from 0"),
    Fault("V2233", "capacity block begins outside its window", "begin in a period the offer allows"),
    Fault(
        "V2234", "capacity block booked too early or too late", "book within booking_periods_min and _max of its start"
    ),
    Fault("V2235", "number of capacity blocks is not positive", "leave out orders of nothing"),
    Fault("V2236", "more capacity blocks live than the offer has", "order fewer blocks or at other times"),
    Fault("V2237", "date of a capacity block order is not that of its period", "set both dates from their periods"),
    Fault("V2301", "pool is overbooked", "place less in the pool or use more of its offers"),
    Fault(
        "V2302",
        "gang larger than the accelerators live in the pool",
        "order more, or use a smaller gang or other periods",
    ),
    Fault("V2303", "site is over its power limit", "place less at the site"),
    Fault("V2304", "domestic share is missed", "move work of the year to domestic pools"),
    Fault("V2305", "portfolio budget is broken", "spend less or claim more in the fiscal year"),
    Fault("V2306", "operator has too large a share of the work", "move work of the year to other operators' sites"),
    Fault("V2307", "member budget is broken", "place less of the member's work in the year, or claim more"),
    Fault("V2308", "capital ceiling is broken", "order fewer units, or at other times"),
    Fault("V2309", "carbon limit is broken", "place less in the year, or at cleaner sites"),
    Fault("V2310", "workloads wait longer than allowed together", "start workloads earlier or run fewer of them"),
    Fault("V2311", "workload starts before another that has to end first", "start after its predecessors have ended"),
    Fault("V2401", "unknown programme", _IDS),
    Fault("V2403", "programme is not open to the placement", "claim from an open programme or from none"),
    Fault(
        "V2404",
        "fiscal year claimed twice or outside the horizon",
        "give one claim for each programme and fiscal year of the horizon",
    ),
    Fault("V2405", "claim is negative", "claim whole yen of zero or more"),
    Fault("V2406", "claim above rate times eligible cost", "claim at most rate times eligible cost, rounded down"),
    Fault("V2407", "claims of a project above its cap", "claim less for the project"),
    Fault("V2408", "claims above the programme's budget", "claim less in the fiscal year"),
    Fault(
        "V2409", "programmes that do not stack", "claim from one programme, or from several that all name each other"
    ),
    Fault("V2410", "project claims from several exclusive programmes", "claim from one programme of the group"),
    Fault("V2411", "claims of a member above its cap", "claim less for the member in the fiscal year"),
    Fault("V2421", "programme is not open to the order", "claim from an open capital programme or from none"),
    Fault("V2422", "claim for another fiscal year than the order's", "claim for the fiscal year of the order"),
    Fault("V2423", "claim above rate times price", "claim at most rate * units * price * share of life, rounded down"),
    Fault("V2424", "order claims from several programmes", "split the order or claim from one programme"),
    Fault("V2425", "owner claims from several exclusive programmes", "claim from one programme of the group"),
    Fault("V2501", "forward curve differs", "recompute forward_usd_jpy from the market"),
    Fault("V2502", "bill line is missing", _BILL),
    Fault("V2503", "bill line of nothing, or given twice", _BILL),
    Fault("V2504", "bill line has another amount", _BILL),
    Fault("V2505", "objective is not the sum of the bill lines", _BILL),
    Fault("V2506", "cash of a fiscal year differs", _BILL),
    Fault("V2507", "obligation after the horizon differs", _BILL),
    Fault("V2508", "claims receivable after the horizon differ", _BILL),
    Fault("V2601", "certificate has another schema version", _RESOLVE),
    Fault("V2602", "certificate belongs to another problem", "verify the certificate with the problem it was made for"),
    Fault("V2603", "price of a row that does not exist", "price only the rows listed in docs/rules.md"),
    Fault("V2604", "row has more than one price", "give one price for each row"),
    Fault("V2605", "price path has not one figure for each period", "give period_count figures"),
    Fault("V2606", "price is not a usable number", "give finite prices of at most 1e30"),
    Fault("V2607", "bound is overstated", "claim at most what the prices prove"),
    Fault("V2608", "bound is above the objective of a plan", "recompute the bound and the bill"),
)

_BY_CODE = {fault.code: fault for fault in FAULTS}


def violation(code: str, path: str, message: str) -> Violation:
    """Return a violation of a registered ``code``; raises KeyError for an unknown one."""
    fault = _BY_CODE[code]
    return Violation(code, path, f"{fault.title}: {message}", fault.action)
