"""Segment definitions: what dbt's checks say about mistakes, and what holds for those that come along."""

import copy
import itertools
import json
import re
import textwrap
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pytest
import yaml
from conftest import Project
from test_conditions import UNDEFINED, WITH_VALUE, WITHOUT_VALUE

from customer_segmentation.definitions.language import columns, reserved_words
from customer_segmentation.environment import PROJECT

GOOD = {
    "question": "Is the next order late?",
    "basis": "journey",
    "assignment": "first_match",
    "otherwise": "on_time",
    "owner": "crm",
    "segments": [
        {"name": "late", "label": {"en": "Late", "ko": "지연"}, "when": "overdue_ratio > 2"},
        {"name": "on_time", "label": {"en": "On time", "ko": "정상"}},
    ],
}


def definition_in(path: Path) -> dict:
    """Return the segmentation that a property file defines."""
    (model,) = yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
    return model["config"]["meta"]["segmentation"]


DEFINITIONS = {
    path.stem.removeprefix("segments_"): definition_in(path)
    for path in sorted((PROJECT / "models" / "segments").glob("segments_*.yml"))
}


LEARNED = {
    "question": "Which customers behave alike?",
    "basis": "behavioural",
    "assignment": "learned",
    "column": "nearest_cluster",
    "owner": "analytics",
    "segments": [{"name": "cluster_1", "label": {"en": "Regulars", "ko": "단골"}}],
}


class Definitions:
    """The macros that read definitions, evaluated by dbt."""

    def __init__(self, project, folder: Path) -> None:
        self._project = project
        self._folder = folder

    def compile(self, jinja: str, **variables: object) -> object:
        """Compile Jinja as dbt does, and return what came of it."""
        return self._project.dbt(
            self._folder, "compile", "--no-populate-cache", "--inline", jinja, **variables
        )

    def render(self, jinja: str, **variables: object) -> str:
        """Return what Jinja renders to; it must compile."""
        outcome = self.compile(jinja, **variables)
        assert outcome.success, outcome.message
        return outcome.result.results[0].node.compiled_code

    def evaluate(self, macro: str, definitions: Iterable[dict], **variables: object) -> list:
        """Return what a macro says of each of some definitions; `written` is the definition in its call."""
        calls = [re.sub(r"\bwritten\b", lambda _, w=written: literal(w), macro) for written in definitions]
        prepared = "{% if execute %}{% set columns = segmentation_columns() %}"
        jinja = f"{prepared}{{{{ tojson([{', '.join(calls)}]) }}}}{{% endif %}}"
        return json.loads(self.render(jinja, **variables))

    def problems(self, definitions: Iterable[dict], name: str = "punctuality") -> list[list[str]]:
        """Return what is wrong with each of some definitions."""
        return self.evaluate(f"segmentation_problems('{name}', written, columns)", definitions)


def literal(value: object) -> str:
    """Write a value so that Jinja reads it."""
    return f"fromjson({json.dumps(json.dumps(value))})"


@pytest.fixture(scope="module")
def definitions(project, tmp_path_factory) -> Definitions:
    return Definitions(project, tmp_path_factory.mktemp("definitions"))


def changed(**keys) -> dict:
    """Return the good definition with other values; None removes the key."""
    definition = copy.deepcopy(GOOD) | keys
    return {key: value for key, value in definition.items() if value is not None}


def with_segment(**keys) -> dict:
    """Return the good definition with other values in its first segment; None removes the key."""
    definition = copy.deepcopy(GOOD)
    segment = definition["segments"][0] | keys
    definition["segments"][0] = {key: value for key, value in segment.items() if value is not None}
    return definition


def with_conditions(*conditions: str, **keys) -> dict:
    """Return a definition with a segment for each condition, named s1, s2 and so on."""
    segments = [
        {"name": f"s{number}", "label": {"en": "S", "ko": "S"}, "when": condition}
        for number, condition in enumerate(conditions, start=1)
    ]
    return changed(segments=segments, otherwise=None, **keys)


def claim(**keys) -> dict:
    """Return a claim with other values; None removes the key."""
    expected = {"metric": "orders_next_90d", "versus": "population", "direction": "lower"} | keys
    return {key: value for key, value in expected.items() if value is not None}


def extending(base: object, when: str | None = "overdue_ratio > 4") -> dict:
    """Return the good definition with a segment before the others that builds on another one."""
    segment = {"name": "very_late", "label": {"en": "Very late", "ko": "장기 지연"}, "extends": base}
    return changed(segments=[segment | ({"when": when} if when else {}), *GOOD["segments"]])


MISTAKES = {
    "there is no definition: it belongs under `config: meta: segmentation:` of the model": None,
    "there is no key 'quesiton': did you mean 'question'?": changed(quesiton="?"),
    "`question` is missing": changed(question=None),
    "`basis` is missing": changed(basis=None),
    "`assignment` is missing": changed(assignment=None),
    "`owner` is missing": changed(owner=None),
    "`basis` is 'behavioral': did you mean 'behavioural'?": changed(basis="behavioral"),
    "`assignment` is 'best': there is first_match, all_matches, learned": changed(assignment="best"),
    "`column` belongs to a learned segmentation": changed(column="nearest_cluster"),
    "`column` is missing": {key: value for key, value in LEARNED.items() if key != "column"},
    "`column` is 'nearest_clusters': did you mean 'nearest_cluster'?": LEARNED
    | {"column": "nearest_clusters"},
    "`column` is 'city': there is nearest_cluster": LEARNED | {"column": "city"},
    "there is no column 'orders_12': did you mean 'orders_12m'?": LEARNED | {"evidence": ["orders_12"]},
    "`otherwise` belongs to conditions: a learned segmentation has none": LEARNED | {"otherwise": "rest"},
    "segment 'cluster_1': there is no key 'when'": LEARNED
    | {"segments": [LEARNED["segments"][0] | {"when": "true"}]},
    "`segments` must be a list of segments, each with a name": changed(segments=[]),
    "must be a list of segments": changed(segments=["late", "on_time"]),
    "`otherwise` is 'ontime', but no segment has this name: did you mean 'on_time'?": changed(
        otherwise="ontime"
    ),
    "segment 'late': it is `otherwise`, so it takes all that is left and must not have a `when`": changed(
        otherwise="late"
    ),
    "segment 'on_time': it has no `when`: say who is in it, or name it in `otherwise`": changed(
        otherwise=None
    ),
    "population: there is no column 'lifetime_order': did you mean 'lifetime_orders'?": changed(
        population="lifetime_order > 0"
    ),
    "segment 'late': there are two of this name": changed(segments=[*GOOD["segments"], GOOD["segments"][0]]),
    "segment 1: `name` is missing": with_segment(name=None),
    "it can't be called 'Very late': a name is made of a-z, 0-9 and _": with_segment(name="Very late"),
    "segment 'all': it can't be called 'all': that is a word of SQL": with_segment(name="all"),
    "segment 'late': `label` is missing": with_segment(label=None),
    "`label` must have an English and a Korean text: {en: …, ko: …}": with_segment(label="Late"),
    "segment 'late': label: `ko` is missing": with_segment(label={"en": "Late"}),
    "label: there is no key 'de'": with_segment(label={"en": "Late", "ko": "지연", "de": "Spät"}),
    "segment 'late': there is no key 'wehn': did you mean 'when'?": with_segment(wehn="true"),
    "`treatment` must say what is done: {objective: …, channel: …, offer: …}": with_segment(treatment="call"),
    "treatment: there is no key 'chanel': did you mean 'channel'?": with_segment(treatment={"chanel": "sms"}),
    "segment 'on_time': has no rank, but others have": with_segment(rank=1),
    "segment 'late': `rank` is 'high': it must be a whole number, and higher is better": with_segment(
        rank="high"
    ),
    "segment 'late': it has no `when`": with_segment(when=None),
    "segment 'late': the condition is not text: put it into quotes (True)": with_segment(when=True),
    "there is no column 'overdue': did you mean 'overdue_ratio'?": with_segment(when="overdue > 2"),
    "there is no function 'ruond' for conditions: did you mean 'round'?": with_segment(
        when="ruond(overdue_ratio) > 2"
    ),
    "there is no function 'random' for conditions": with_segment(when="random() > 0.5"),
    "'select' doesn't belong to a condition: it may only compare columns of one row": with_segment(
        when="overdue_ratio > (select 1)"
    ),
    "';' doesn't belong to a condition": with_segment(when="overdue_ratio > 2; true"),
    "the condition holds a comment": with_segment(when="overdue_ratio > 2 -- late"),
    "holds a comment: write it as a comment of the YAML file": with_segment(
        when="overdue_ratio > 2 /* late */"
    ),
    "the condition has a text that doesn't end: a ' is missing": with_segment(when="kind = 'business"),
    "columns stand without quotes, and texts in single ones": with_segment(when='kind = "business"'),
    "the condition has brackets that don't match": with_segment(when="(overdue_ratio > 2"),
    "`min_share` is '5': it must be a share from 0 to 1, such as 0.05 for 5 %": changed(min_share=5),
    "`max_moved_share` is 'all': it must be a share": changed(max_moved_share="all"),
    "segment 'late': `max_share` is 'True': it must be a share": with_segment(max_share=True),
    "segment 'late': `min_share` is 0.5 and `max_share` is 0.1: no share is both": with_segment(
        min_share=0.5, max_share=0.1
    ),
    "there is no key 'max_shares': did you mean 'max_share'?": with_segment(max_shares=0.1),
    "`expect` must be a claim, or a list of claims: {metric: …, versus: …, direction: …}": with_segment(
        expect="more"
    ),
    "segment 'late': expect: `direction` is missing": with_segment(expect=claim(direction=None)),
    "expect: `metric` is 'revenue': did you mean 'revenue_next_90d'?": with_segment(
        expect=claim(metric="revenue")
    ),
    "expect: `direction` is 'more': there is higher, lower": with_segment(
        expect=[claim(), claim(direction="more")]
    ),
    "expect: `versus` is 'on_tme': it must be population or another segment: did you mean 'on_time'?": (
        with_segment(expect=claim(versus="on_tme"))
    ),
    "expect: `versus` is 'late': it must be population or another segment": with_segment(
        expect=claim(versus="late")
    ),
    "deprecated: `ends_on` is missing": with_segment(deprecated={"use": "on_time"}),
    "deprecated: `ends_on` is '31.3.2027': write a day as 2027-03-31": with_segment(
        deprecated={"ends_on": "31.3.2027"}
    ),
    "deprecated: `ends_on` is '2027-02-30': write a day as 2027-03-31": with_segment(
        deprecated={"ends_on": "2027-02-30"}
    ),
    "deprecated: `use` is 'ontime', but no segment of 'punctuality' has this name: did you mean 'on_time'?": (
        with_segment(deprecated={"ends_on": "2027-03-31", "use": "ontime"})
    ),
    "deprecated: `use` names the segment itself": with_segment(
        deprecated={"ends_on": "2027-03-31", "use": "late"}
    ),
    "`deprecated` must say until when, and what to use instead: {ends_on: 2027-03-31, use: …}": with_segment(
        deprecated="2027-03-31"
    ),
    "`extends` is 'lat', but no segment of 'punctuality' has this name: did you mean 'late'?": extending(
        "lat"
    ),
    "`extends` is 'rfn.champions', but there is no segmentation 'rfn'": extending("rfn.champions"),
    "`extends` is 'rfm.champion', but no segment of 'rfm' has this name: did you mean 'champions'?": (
        extending("rfm.champion")
    ),
    "`extends` is 'rfm.lost', but 'lost' has no condition to build on: it takes all that is left": extending(
        "rfm.lost"
    ),
    "`extends` is 'cluster.cluster_1', but": extending("cluster.cluster_1"),
    "`extends` is '3', but it must be the name of a segment": extending(3),
    "segment 'very_late': `extends` is 'very_late', but that goes in a circle: punctuality.very_late, "
    "punctuality.very_late": extending("very_late"),
    "segment 'on_time': it is `otherwise`, so it takes all that is left and must not have `extends`": changed(
        segments=[GOOD["segments"][0], GOOD["segments"][1] | {"extends": "late"}]
    ),
}


@pytest.fixture(scope="module")
def problems_of_mistakes(definitions: Definitions) -> dict[str, list[str]]:
    return dict(zip(MISTAKES, definitions.problems(MISTAKES.values()), strict=True))


@pytest.mark.parametrize("message", MISTAKES)
def test_a_mistake_is_named_with_its_place_and_what_was_probably_meant(problems_of_mistakes, message: str):
    problems = problems_of_mistakes[message]
    assert any(message in problem for problem in problems), problems


def test_a_segmentation_is_not_called_like_a_column_or_a_word_of_sql(definitions: Definitions):
    refused = "the segmentation can't be called"
    assert definitions.problems([GOOD], "region") == [[f"{refused} 'region': that is a column already"]]
    assert definitions.problems([GOOD], "order") == [[f"{refused} 'order': that is a word of SQL"]]


def test_the_command_line_knows_which_names_are_taken(definitions: Definitions):
    known, reserved = definitions.evaluate("[columns | list, reserved_words()][written]", [0, 1])
    assert columns() - {"customer_id", "as_of_date", "fitted_on"} == set(known)
    assert reserved_words() == set(reserved)


def test_all_mistakes_are_named_at_once_with_the_file(definitions: Definitions):
    definition = literal(with_segment(when="overdue > 2", label=None))
    check = f"check_segmentation('punctuality', {definition}, segmentation_columns())"
    message = definitions.compile(f"{{% if execute %}}{{% do {check} %}}{{% endif %}}").message
    assert "models/segments/segments_punctuality.yml" in message
    assert "segment 'late': `label` is missing" in message
    assert "segment 'late': there is no column 'overdue': did you mean 'overdue_ratio'?" in message
    assert "docs/guides/add_a_segment.md" in message


# what is written and means nothing, or something else than it seems to: what is said of it
MISWRITTEN = {
    "lifetime_orders > 1) or (1 = 1": "brackets that don't match",
    "5 < lifetime_orders < 10": "one comparison follows on another: join two with `and`",
    "lifetime_orders => 5": "a comparison is one of =, <>, <, <=, > and >=",
    "lifetime_orders > = 5": "a comparison is one of",
    "lifetime_orders > 5 and": "a condition is missing beside `and`, `or` or `not`",
    "and and": "a condition is missing beside",
    "(lifetime_orders > 5 or) and is_active": "a condition is missing beside",
    "revenue_12m > 1,000": "a number has no comma in it: write 1000 for 1,000 and 0.5 for 0,5",
    "overdue_ratio between 0,5 and 1": "a number has no comma in it",
    "discount_share > 10%": "% is the rest of a division: write 0.1 for 10 %",
    "discount_share > 10 % and is_active": "% is the rest of a division: write 0.1 for 10 %",
    "region = null": "nothing compares with null: write `is null` or `is not null`",
    "region <> NULL or is_active": "nothing compares with null",
    "region not in ('Seoul', null)": "nothing compares with null",
    "region in ('Seoul' 'Busan')": "two texts stand side by side: put a comma between them",
    "lifetime_orders is 5": "after `is` stands null, true, false or distinct from",
    "lifetime_orders ** 2 > 9": "write power(a, b) for a ** b",
    "is_active = 'active'": "is_active is a truth value and is compared with 'active': compare it with true",
    "not is_active in ('x')": "is_active is a truth value and is compared with 'x'",
    "first_order_on > '01.03.2025'": (
        "first_order_on is a date and is compared with '01.03.2025': compare it with a day such as '2025-03-"
    ),
    "LIFETIME_ORDERS >= 'many'": "LIFETIME_ORDERS is a number and is compared with 'many'",
    "is_active and kind = 3": "kind is a text and is compared with 3",
}
# of these the engine says what it can't read
UNREADABLE = ["lifetime_orders 5", "5 < round(overdue_ratio) < 9", "case when is_active then", "region like"]

PLAIN = [
    GOOD["segments"][0]["when"],
    "lifetime_orders between 2 and 3 or lifetime_orders in (5, 7)",
    "coalesce(days_since_last_order, 0) > 30 and not is_birthday_month",
    "case when kind = 'business' then orders_12m >= 12 else orders_12m >= 6 end",
    "favourite_category like '%select from; -- fashion%' and region is distinct from 'O''Hare'",
    "cast(revenue_12m as double) / nullif(orders_12m, 0) > 0.5 * AVERAGE_ORDER_VALUE",
    "first_order_on >= cast('2025-01-01' as date)",
    "first_order_on >= '2025-01-01' and last_order_on - first_order_on > 30 and is_active = 'true'",
    "lifetime_orders in (1,100) and round(overdue_ratio,2) <= -0.5 and lifetime_orders % 2 = 1",
    "region is not distinct from null or is_active is not true and coalesce(city, null) <> 'or kind = 3'",
    "greatest(lifetime_orders, 5) = 5 and (overdue_ratio > 2) = true and orders_12m = '3'",
]


def test_a_condition_that_says_something_else_than_was_meant_is_named(definitions: Definitions):
    """Before anything is built, also by dbt alone and where no features are there yet to compare with."""
    conditions = [*MISWRITTEN, *UNREADABLE]
    said = definitions.problems(with_segment(when=condition) for condition in conditions)
    wanted = [*MISWRITTEN.values(), *["the condition can't be read: "] * len(UNREADABLE)]
    for condition, message, problems in zip(conditions, wanted, said, strict=True):
        assert any(problem.startswith("segment 'late': ") and message in problem for problem in problems), (
            problems
        )
        assert len(problems) == 1 and ("brackets" in message or f"({condition})" in problems[0]), problems
    (population,) = definitions.problems([changed(population="region = null")])
    assert population[0].startswith("population: nothing compares with null")
    (shared,) = definitions.evaluate(
        "shared_condition_problems(written, columns, written)", [{"is_here": "region = null"}]
    )
    assert shared[0].startswith("condition 'is_here': nothing compares with null")


def test_a_condition_that_can_not_be_meant_stops_plain_dbt_before_anything_is_built(project, tmp_path: Path):
    (tmp_path / "build").mkdir()
    manifest = project.manifest.deepcopy()
    model = manifest.flat_graph["nodes"]["model.customer_segmentation.segments_rfm"]
    meta = copy.deepcopy(model["config"]["meta"])
    meta["segmentation"]["segments"][0]["when"] = "first_order_on > '01.03.2025'"
    model["config"]["meta"] = meta
    variables = json.dumps({"database": "shop"})
    outcome = project._invoke(tmp_path, ["run", "--select", "input_orders", "--vars", variables], manifest)
    assert "models/segments/segments_rfm.yml can't be used" in outcome.message
    assert (
        "segment 'champions': first_order_on is a date and is compared with '01.03.2025'" in outcome.message
    )
    assert outcome.rows("select count(*) from information_schema.tables") == [(0,)]


def test_what_a_column_is_is_also_known_from_what_was_built(project, tmp_path: Path):
    (tmp_path / "build").mkdir()
    with duckdb.connect(str(tmp_path / "build" / "shop.duckdb")) as connection:
        connection.execute("create schema segments")
        connection.execute("create table segments.latest_features as select true as is_birthday_month")
    definition = with_segment(when="is_birthday_month = 'in June'")
    ((problem,),) = Definitions(project, tmp_path).problems([definition])
    assert "is_birthday_month is a truth value and is compared with 'in June'" in problem


def test_any_plain_condition_is_fine(definitions: Definitions):
    problems = definitions.problems(with_segment(when=condition) for condition in PLAIN)
    assert problems == [[]] * len(PLAIN)


def test_what_has_no_value_keeps_a_customer_out_of_a_segment(definitions: Definitions):
    """Also a population; and dbt, which works word by word, says what the parser says."""
    several = [with_conditions(*WITHOUT_VALUE, assignment="all_matches"), with_conditions(*WITHOUT_VALUE)]
    several += [with_conditions("true", population=condition) for condition in WITHOUT_VALUE]
    for expression in definitions.evaluate("segment_expression(dict(written, left_out={}))", several):
        assert duckdb.sql(f"select {expression} from {UNDEFINED}").fetchall() == [(None,)], expression
    for known in definitions.evaluate("known_expression(dict(written, left_out={}))", several[1:2]):
        assert duckdb.sql(f"select {known} from {UNDEFINED}").fetchall() == [("no",)]
    of_an_input = '/* a / b */ a / b::int[1] > c.d / e.f -- a / b\n and "a / b" > 3'
    conditions = [*WITHOUT_VALUE, PLAIN[0], of_an_input]
    *written, plain, guarded = definitions.evaluate("null_if_undefined(written)", conditions)
    for condition, sql in zip(WITHOUT_VALUE, written, strict=True):
        same = f"select ({sql}) is not distinct from ({condition}) from {WITH_VALUE}"
        assert duckdb.sql(same).fetchall() == [(True,)], condition
    assert plain == PLAIN[0]
    wanted = '/* a / b */ a / nullif(b::int[1], 0) > c.d / nullif(e.f, 0) -- a / b\n and "a / b" > 3'
    assert guarded == wanted


def test_what_has_no_value_keeps_a_row_of_an_input_out(definitions: Definitions):
    orders = {"file": "orders.csv", "where": "total / items < 1000"}
    (condition,) = definitions.evaluate("input_condition('orders')", [GOOD], inputs={"orders": orders})
    assert condition == "total / nullif(items, 0) < 1000"


def test_a_learned_segmentation_takes_its_segments_from_a_column(definitions: Definitions):
    plain = {key: value for key, value in LEARNED.items() if key != "segments"}
    assert definitions.problems([LEARNED, plain, LEARNED | {"segments": []}]) == [[], [], []]
    expression, limited = definitions.evaluate(
        "segment_expression(dict(written, left_out={}))", [plain, plain | {"population": "orders > 0"}]
    )
    rows = duckdb.sql(
        f"select nearest_cluster, {expression}, {limited} from (values ('a', 1), ('b', 0), (null, 1)) as "
        "everyone (nearest_cluster, orders)"
    ).fetchall()
    assert rows == [("a", "a", "a"), ("b", "b", None), (None, None, None)]


def test_overlapping_audiences_may_have_a_population_and_an_otherwise(definitions: Definitions):
    audiences = with_conditions("x > 1", "x > 2", assignment="all_matches", population="x > 0")
    audiences["segments"].append({"name": "rest", "label": {"en": "Rest", "ko": "기타"}})
    audiences["otherwise"] = "rest"
    (expression,) = definitions.evaluate("segment_expression(dict(written, left_out={}))", [audiences])
    rows = duckdb.sql(f"select x, {expression} from (values (0), (1), (2), (3), (null)) as everyone (x)")
    assert dict(rows.fetchall()) == {0: None, 1: "rest", 2: "s1", 3: "s1|s2", None: None}


def test_what_a_segment_lacks_is_named(definitions: Definitions):
    used = "['lifetime_orders', 'age_band', 'visits_90d', 'views_90d']"
    (lacking,) = definitions.evaluate(
        f"inputs_lacking({used}, columns)", [GOOD], inputs={"orders": {"file": "orders.csv"}}
    )
    assert lacking == ["customers.birth_date or customers.age_band", "events"]


def test_a_segmentation_that_is_not_published_is_named(definitions: Definitions):
    outcome = definitions.compile("{% do check_segmentations() %}", segmentations=["rfm"])
    assert outcome.success, outcome.message
    assert "models/segments/segments_lifecycle.sql is not published" in "".join(outcome.warnings)


def test_a_segmentation_is_published_once(definitions: Definitions):
    outcome = definitions.compile(
        "{% if execute %}{% do check_segmentations() %}{% endif %}", segmentations=["rfm", "rfm"]
    )
    assert "The variable segmentations names 'rfm' twice." in outcome.message


def test_the_version_follows_the_conditions_and_nothing_else(definitions: Definitions):
    same = [
        changed(question="Who is late?", owner="sales"),
        with_segment(label={"en": "Overdue", "ko": "연체"}, treatment={"channel": "sms"}),
        with_segment(when="overdue_ratio\n  >  2"),
    ]
    other = [
        changed(otherwise=None),
        changed(population="lifetime_orders > 0"),
        with_segment(when="overdue_ratio > 3"),
    ]
    version, *versions = definitions.evaluate("definition_version(written)", [GOOD, *same, *other])
    assert versions[: len(same)] == [version] * len(same)
    assert version not in versions[len(same) :]


SHARED = {
    "is_late": "overdue_ratio > 2",
    "is_known": "is_late or overdue_ratio <= 2",
    "is_far_behind": "is_late and days_since_last_order > 60",
    "is_ours": "kind = 'is_late'",
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Definitions:
    """The macros in a copy of the project that has these shared conditions in a model of its own."""
    copy_of_project = Project(tmp_path_factory.mktemp("shared") / "copy")
    folder = copy_of_project.root / "models" / "segments"
    (folder / "our_words.sql").write_text("select 1 as one\n", encoding="utf-8")
    stated = {"models": [{"name": "our_words", "config": {"meta": {"shared_conditions": SHARED}}}]}
    (folder / "our_words.yml").write_text(yaml.safe_dump(stated), encoding="utf-8")
    return Definitions(copy_of_project, tmp_path_factory.mktemp("definitions"))


def test_a_shared_condition_and_a_condition_to_build_on_are_written_out(shared: Definitions):
    meant = {
        "is_late": "overdue_ratio > 2",
        "IS_LATE and lifetime_orders > 1": "overdue_ratio > 2 and lifetime_orders > 1",
        "not is_late": "not overdue_ratio > 2",
        "not is_far_behind": "not (overdue_ratio > 2 and days_since_last_order > 60)",
        "is_known and children > 0": "(overdue_ratio > 2 or overdue_ratio <= 2) and children > 0",
        "is_far_behind or children > 0": "overdue_ratio > 2 and days_since_last_order > 60 or children > 0",
        "coalesce(is_late, false)": "coalesce((overdue_ratio > 2), false)",
        "is_late is null": "(overdue_ratio > 2) is null",
        "kind = 'is_late' or is_ours": "kind = 'is_late' or kind = 'is_late'",
        "children between 1 and is_late": "children between 1 and (overdue_ratio > 2)",
        "children between (1 and is_late) and is_late and is_late": (
            "children between (1 and overdue_ratio > 2) and (overdue_ratio > 2) and overdue_ratio > 2"
        ),
        "case when children between 1 and 2 and is_late then true end": (
            "case when children between 1 and 2 and overdue_ratio > 2 then true end"
        ),
    }
    resolved = shared.evaluate(
        "resolved_segmentation('x', written).segments[0].when", [with_segment(when=when) for when in meant]
    )
    assert resolved == list(meant.values())
    assert shared.problems([with_segment(when=when) for when in meant]) == [[]] * len(meant)
    columns = ["overdue_ratio", "lifetime_orders"]
    (used,) = shared.evaluate(
        "columns_in(resolved_segmentation('x', written).segments[0].when, columns)",
        [with_segment(when="is_late and lifetime_orders > 1")],
    )
    assert used == columns


def test_a_segment_that_extends_another_meets_both_conditions(shared: Definitions):
    definition = extending("late", when="lifetime_orders = 1 or children > 0")
    definition["segments"].insert(
        0,
        {"name": "worst", "label": {"en": "W", "ko": "W"}, "extends": "very_late", "when": "kind = 'person'"},
    )
    bare = {"name": "best", "label": {"en": "B", "ko": "B"}, "extends": "rfm.champions"}
    definition["segments"].insert(0, bare)
    (conditions,) = shared.evaluate(
        "resolved_segmentation('x', written).segments | map(attribute='when') | select('string') | list",
        [definition],
    )
    assert conditions == [
        "recency_score >= 4 and frequency_score = 5 and monetary_score >= 4",
        "overdue_ratio > 2 and (lifetime_orders = 1 or children > 0) and kind = 'person'",
        "overdue_ratio > 2 and (lifetime_orders = 1 or children > 0)",
        "overdue_ratio > 2",
    ]
    assert shared.problems([definition]) == [[]]


def test_the_version_follows_what_a_condition_rests_on(shared: Definitions):
    """Naming a condition changes nothing; another meaning of the name or of the segment below does."""
    version = "definition_version(resolved_segmentation('x', written))"
    same = [with_segment(when="is_late"), GOOD]
    named, plain = shared.evaluate(version, same)
    assert named == plain
    base = extending("late")
    other = copy.deepcopy(base)
    other["segments"][1]["when"] = "overdue_ratio > 3"
    before, after = shared.evaluate(version, [base, other])
    assert before != after
    other_meaning = {"is_late": "overdue_ratio > 3"}
    (written_out,) = shared.evaluate(f"written_out('is_late', {other_meaning})", [GOOD])
    assert written_out == "overdue_ratio > 3"


SHARED_MISTAKES = {
    "condition 'region': that is a column already: choose another name": {"region": "children > 0"},
    "condition 'order': it can't be called 'order': that is a word of SQL": {"order": "children > 0"},
    "condition 'coalesce': that is a word of conditions already": {"coalesce": "children > 0"},
    "condition 'Old': it can't be called 'Old': a name is made of": {"Old": "children > 0"},
    "condition 'is_rich': there is no column 'revenue_12': did you mean 'revenue_12m'?": {
        "is_rich": "revenue_12 > 9"
    },
    "condition 'is_true': the condition is not text": {"is_true": True},
    "condition 'a_b': it goes in a circle: a_b, b_c, c_a, a_b": {
        "a_b": "b_c",
        "b_c": "not c_a",
        "c_a": "a_b",
    },
    "condition 'a_b': it goes in a circle: a_b, a_b": {"a_b": "a_b or true"},
    "`shared_conditions` must be a list of names with a condition each": ["is_late"],
}


def test_a_change_of_a_shared_condition_reaches_the_models_that_use_it(project):
    """As dbt sees it: `state:modified+` selects what depends on the model that states it."""
    nodes = project.manifest.nodes
    for name in DEFINITIONS:
        segments = nodes[f"model.customer_segmentation.segments_{name}"]
        assert "model.customer_segmentation.customer_features" in segments.depends_on.nodes


def test_a_mistake_in_a_shared_condition_is_named(definitions: Definitions):
    found = definitions.evaluate(
        "shared_condition_problems(written, columns, written)", SHARED_MISTAKES.values()
    )
    for message, problems in zip(SHARED_MISTAKES, found, strict=True):
        assert any(message in problem for problem in problems), (message, problems)


def test_unit_tests_mean_by_a_shared_condition_what_everybody_means():
    """A unit test sees no other files, so it states the shared conditions that it needs again."""
    folder = PROJECT / "models" / "segments"
    (model,) = yaml.safe_load((folder / "shared_conditions.yml").read_text(encoding="utf-8"))["models"]
    stated = model["config"]["meta"]["shared_conditions"]
    for path in folder.glob("segments_*.yml"):
        for test in yaml.safe_load(path.read_text(encoding="utf-8")).get("unit_tests", []):
            overridden = test["overrides"]["macros"].get("shared_conditions", {})
            assert overridden == {name: stated.get(name) for name in overridden}, path.name


def test_the_definition_in_the_guide_is_a_good_one(definitions: Definitions):
    guide = (PROJECT / "docs" / "guides" / "add_a_segment.md").read_text(encoding="utf-8")
    example = textwrap.dedent(guide.partition("```yaml\n")[2].partition("   ```")[0])
    (model,) = yaml.safe_load(example)["models"]
    assert definitions.problems([model["config"]["meta"]["segmentation"]]) == [[]]


@pytest.mark.parametrize("name", DEFINITIONS)
def test_every_segment_has_a_hypothesis_and_a_treatment(name: str):
    for segment in DEFINITIONS[name]["segments"]:
        assert segment["hypothesis"].endswith("."), segment["name"]
        assert segment["treatment"].keys() == {"objective", "channel", "offer"}, segment["name"]


def test_every_combination_of_scores_is_in_one_rfm_segment(definitions: Definitions):
    case = definitions.render("{{ segment_expression(segmentation_definition('rfm')) }}")
    scores = list(itertools.product(range(1, 6), repeat=3))
    values = ", ".join(f"({r}, {f}, {m}, {orders}, 30)" for r, f, m in scores for orders in (1, 9))
    columns = "recency_score, frequency_score, monetary_score, lifetime_orders, days_since_first_order"
    rows = duckdb.sql(f"select {columns}, {case} from (values {values}) as scores ({columns})").fetchall()
    segment_of = {tuple(row[:4]): row[5] for row in rows}
    rank_of = {segment["name"]: segment["rank"] for segment in DEFINITIONS["rfm"]["segments"]}
    assert set(segment_of.values()) == rank_of.keys()

    for r, f, m in scores:
        for better in ((r + 1, f, m), (r, f + 1, m), (r, f, m + 1)):
            if max(better) <= 5:
                assert rank_of[segment_of[*better, 9]] >= rank_of[segment_of[r, f, m, 9]], better


def test_nobody_whose_orders_may_all_be_cancelled_is_sent_a_coupon_for_the_first():
    """Cancelled orders don't count, so that who cancelled them all has ordered 0 times."""
    offers = {
        segment["treatment"]["offer"]
        for definition in DEFINITIONS.values()
        for segment in definition["segments"]
        if segment.get("when") == "lifetime_orders = 0" and "treatment" in segment
    }
    assert offers and not [offer for offer in offers if "coupon" in offer]
