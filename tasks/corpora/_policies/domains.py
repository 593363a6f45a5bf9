"""The words of each domain: the subjects of its facts, its people and places.

A subject determines its kind of fact and its domain: none occurs twice. They are worded
so that every phrase of their kind fits: `retention` and `approval` are plural,
`deadline` and `requirement` carry "a", `interval` carries "the", the others have no
article.
"""

from typing import NamedTuple


class Domain(NamedTuple):
    """The words of one domain.

    Attributes:
      name: its name.
      subjects: of the facts of this domain, by kind of fact.
      people: who works there, plural.
      clients: whom they serve, plural.
      sites: where they work, plural.
      systems: what they work with, singular with "the".
    """

    name: str
    subjects: dict[str, tuple[str, ...]]
    people: tuple[str, ...]
    clients: tuple[str, ...]
    sites: tuple[str, ...]
    systems: tuple[str, ...]


def _subjects(**kinds: str) -> dict[str, tuple[str, ...]]:
    return {
        kind: tuple(map(str.strip, text.split(";"))) for kind, text in kinds.items()
    }


DOMAINS = (
    Domain(
        "banking",
        _subjects(
            retention="""call recordings; wire instructions; loan files; teller logs;
                signature cards; margin statements""",
            deadline="""a failed settlement; a suspicious transfer; a ledger mismatch;
                a card skimming case; a sanctions match; a missed margin call""",
            amount="""client dinners; market data feeds; branch refits;
                courier services; external appraisers; teller training""",
            interval="""the vault count; the liquidity drill; the password audit;
                the dealer rotation; the stress test; the cash machine survey""",
            approval="""credit line increases; fee waivers; overdraft extensions;
                account closures; collateral releases; rate exceptions""",
            permission="""personal dealing; home trading; cash handling by contractors;
                proxy voting for clients; use of private phones; weekend posting""",
            requirement="""a second signature; a source of funds check; a call-back;
                a credit committee vote; a conflict statement; a solvency letter""",
        ),
        ("dealers", "tellers", "relationship managers", "loan officers"),
        ("account holders", "borrowers", "depositors", "brokers"),
        ("branches", "dealing rooms", "vaults", "advice centres"),
        ("the payment ledger", "the loan book", "the dealing system", "the card host"),
    ),
    Domain(
        "insurance",
        _subjects(
            retention="""claim photographs; loss adjuster notes; broker invoices;
                renewal letters; proposal forms; salvage records""",
            deadline="""a disputed claim; a forged invoice; a lapse in cover;
                a broker complaint; a reserve shortfall; a misread tariff""",
            amount="""surveyor visits; hire cars; goodwill payments; legal opinions;
                catastrophe modelling; broker events""",
            interval="""the reserve review; the tariff check; the broker audit;
                the claims sampling; the catastrophe rehearsal; the wording review""",
            approval="""late claims; premium refunds; cover extensions;
                excess reductions; binder renewals; total loss settlements""",
            permission="""verbal cover; commission sharing; desk-based loss surveys;
                backdating of cover; sale of salvage to staff; claims by telephone""",
            requirement="""a site survey; a medical statement; a proof of purchase;
                a police report; a second valuation; a signed proposal""",
        ),
        ("claims handlers", "underwriters", "loss adjusters", "policy clerks"),
        ("policyholders", "claimants", "beneficiaries", "agents"),
        ("claims centres", "regional offices", "call centres", "survey stations"),
        (
            "the claims register",
            "the rating engine",
            "the policy file",
            "the broker portal",
        ),
    ),
    Domain(
        "pharmaceuticals",
        _subjects(
            retention="""batch records; trial consent forms; stability samples;
                assay printouts; cleaning logs; label proofs""",
            deadline="""a cold chain failure; an adverse reaction; a mislabelled batch;
                a sterility breach; a protocol deviation; a lost sample""",
            amount="""reference standards; investigator meetings; stability chambers;
                speaker fees; patient travel; glassware""",
            interval="""the clean room survey; the balance calibration; the mock recall;
                the supplier visit; the gowning test; the freezer mapping""",
            approval="""batch releases; protocol changes; label revisions;
                supplier switches; rework orders; sample transfers""",
            permission="""compassionate use; reuse of solvents; night sampling;
                solo work in clean rooms; split dosing; loan of test kits""",
            requirement="""a witness to weighing; a blinded reading; a swab test;
                a retained sample; a line clearance; a deviation note""",
        ),
        ("analysts", "line operators", "study nurses", "batch reviewers"),
        ("trial subjects", "pharmacies", "wholesalers", "prescribers"),
        ("clean rooms", "trial centres", "filling halls", "cold stores"),
        (
            "the batch system",
            "the trial database",
            "the sample store",
            "the label printer",
        ),
    ),
    Domain(
        "energy",
        _subjects(
            retention="""meter readings; outage logs; turbine vibration data;
                switching orders; pipeline charts; tariff notices""",
            deadline="""a gas leak; a relay failure; a meter fraud; an oil spill;
                a frequency excursion; a breach of the site fence""",
            amount="""tree clearing; mobile generators; drone flights; diver hire;
                spare breakers; noise studies""",
            interval="""the black start exercise; the valve stroke test;
                the dam walkover; the line patrol; the siren test;
                the transformer oil check""",
            approval="""planned outages; load transfers; bypass permits;
                tariff rebates; trench openings; generator restarts""",
            permission="""live line work; lone night patrols; drone use over homes;
                remote switching; hot tapping; storage of fuel on site""",
            requirement="""an earthing check; a spotter; a written switching plan;
                a gas detector; a rescue kit; a tide forecast""",
        ),
        ("line crews", "control engineers", "meter readers", "plant operators"),
        ("households", "grid users", "suppliers", "landowners"),
        ("substations", "power stations", "pumping stations", "depots"),
        (
            "the control system",
            "the outage map",
            "the metering host",
            "the permit board",
        ),
    ),
    Domain(
        "aviation",
        _subjects(
            retention="""flight data files; torque records; crew rosters; fuel slips;
                tool check sheets; de-icing reports""",
            deadline="""a bird strike; a hard landing; a missing tool; a fuel mix-up;
                a runway incursion; a cabin smoke event""",
            amount="""crew hotels; engine loans; simulator hours; ramp lighting;
                spare tyres; passenger vouchers""",
            interval="""the evacuation drill; the borescope check; the hangar inventory;
                the compass swing; the oxygen check; the de-icing rehearsal""",
            approval="""duty extensions; ferry flights; deferred defects;
                part substitutions; roster swaps; charter bookings""",
            permission="""single pilot taxiing; engine runs at night; jump seat travel;
                carriage of pets in the cabin; borrowing of parts;
                refuelling with crew aboard""",
            requirement="""an independent inspection; a tail walker; a fuel sample;
                a tool count; a weight check; a rest certificate""",
        ),
        ("mechanics", "cabin crews", "dispatchers", "ramp agents"),
        ("passengers", "shippers", "charterers", "lessors"),
        ("hangars", "line stations", "workshops", "crew rooms"),
        ("the defect log", "the roster tool", "the parts store", "the flight planner"),
    ),
    Domain(
        "healthcare",
        _subjects(
            retention="""ward diaries; scan images; transfusion slips; theatre lists;
                discharge letters; drug charts""",
            deadline="""a patient fall; a wrong dose; a needle injury; a misfiled scan;
                a ward infection; a lost referral""",
            amount="""locum cover; wheelchair repairs; interpreter hours;
                taxi transfers; ward furniture; sterile packs""",
            interval="""the hand hygiene audit; the crash trolley check; the fire walk;
                the blood fridge test; the mattress survey; the alarm round""",
            approval="""early discharges; bed closures; off-label prescriptions;
                visitor exemptions; ward transfers; overtime shifts""",
            permission="""bedside filming; self-medication; overnight visiting;
                remote prescribing; student suturing; use of family interpreters""",
            requirement="""a chaperone; a pressure sore score; a consent form;
                a second reader; an allergy band; a swab count""",
        ),
        ("ward nurses", "porters", "pharmacists", "theatre staff"),
        ("patients", "carers", "visitors", "referring doctors"),
        ("wards", "clinics", "theatres", "dispensaries"),
        (
            "the patient record",
            "the drug cabinet",
            "the bed board",
            "the imaging archive",
        ),
    ),
)


def subjects() -> dict[str, tuple[str, ...]]:
    """The subjects of all domains, by kind of fact."""
    kinds = DOMAINS[0].subjects
    return {k: tuple(s for d in DOMAINS for s in d.subjects[k]) for k in kinds}
