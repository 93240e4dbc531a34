"""The checks that the project makes of each row of its inputs, as one script makes them: `--checked` of (a).

Columns, types and what is accepted are read from the project's contract. One condition on the rows as they
are tells plain ones; only the others are trimmed and looked at column by column. Those that can't be used are
written into the table `rejected` with what is wrong with them, in the project's words
(macros/staging/check_input.sql).
"""

from datetime import date
from pathlib import Path
from time import perf_counter

import duckdb

from customer_segmentation.contract import read_contract

# as the shop's inputs.yml has it
MAX_AMOUNT = 1_000_000
LONGEST_TEXT = 1000
TYPES = {"string": "varchar", "decimal": "decimal(18, 4)"}
# in this order, because items and events name orders and products
INPUTS = ("orders", "products", "order_items", "events")
SAYS_NOTHING = ("", "-", "null", "\\n", "n/a", "#n/a", "nan", "nat", "<na>", "none")
# of the texts of a row, joined by bars: what may be broken, has spaces around it or says nothing
ODD_TEXT = (
    r"[^ -~\p{Lo}]|\x{3164}|[eE][+]|#"
    r"|(^|\|)( |\||$|(?i:-|null|\\n|n/a|nan|nat|<na>|none)(\||$))| (\||$)"
)
BROKEN_TEXT = (
    r"[\x{FFFD}\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x{009F}]"
    r"|[\x{00C2}\x{00C3}][\x{0080}-\x{00BF}]|[\x{00E0}-\x{00EF}][\x{0080}-\x{00BF}]{2}"
)
BROKEN_ID = (
    r"[\x{00A0}\x{00AD}\x{034F}\x{061C}\x{1680}\x{180E}\x{2000}-\x{200F}\x{2028}-\x{202F}\x{205F}-\x{2064}"
    r"\x{2066}-\x{2069}\x{3000}\x{3164}\x{FEFF}\t\r\n]"
    r"|^[0-9]([.][0-9]+)?[eE][+][0-9]+$|^#(REF|VALUE|NAME|DIV|NUM|NULL)"
)


class Checks:
    """The inputs of a folder, checked: `accepted` says how to read those rows that can be used."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path):
        """Check all rows and write the table `rejected`: input, row_number, row_key, reasons, row_json."""
        self.connection = connection
        self.folder = folder
        self.contract = {name: self._there(name, rules) for name, rules in read_contract().items()}
        # of each input, how many rows are not plain, and the seconds that its checks took
        self.odd: dict[str, int] = {}
        self.seconds: dict[str, float] = {}
        connection.execute(
            """
            create temp table odd (input varchar, row_number bigint);
            create table rejected
                (input varchar, row_number bigint, row_key varchar, reasons varchar, row_json varchar)
            """
        )
        self.latest = self._latest_date()
        for name in INPUTS:
            begun = perf_counter()
            (count,) = connection.execute(self._find_odd(name)).fetchone()
            if count:
                connection.execute(self._reject(name))
            self.odd[name] = count
            self.seconds[name] = round(perf_counter() - begun, 3)

    def accepted(self, name: str) -> str:
        """Return the SQL of the accepted rows of an input, in the types of the contract."""
        columns, file = self.contract[name]["columns"], self._file(name)
        plain = ", ".join(f"{_plain(column, rules)} as {column}" for column, rules in columns.items())
        if not self.odd[name]:
            return f"(select {plain} from {file} as source)"
        typed = ", ".join(f"{_typed(column, rules)} as {column}" for column, rules in columns.items())
        odd, rejected = (f"select row_number from {of} where input = '{name}'" for of in ("odd", "rejected"))
        return f"""(
            select {plain} from {file} as source where file_row_number not in ({odd})
            union all
            select {typed} from {file} as source where file_row_number in ({odd} except {rejected})
        )"""

    def _there(self, name: str, definition: dict) -> dict:
        """Return what the contract says of an input, with those of its columns that the file has."""
        if name not in INPUTS:
            return definition
        query = f"select column_name from (describe from {self._file(name)})"
        there = {column for (column,) in self.connection.execute(query).fetchall()}
        columns = {column: rules for column, rules in definition["columns"].items() if column in there}
        return definition | {"columns": columns}

    def _file(self, name: str) -> str:
        return f"read_parquet('{self.folder / name}.parquet', file_row_number = true)"

    def _latest_date(self) -> date:
        """Return the date at which the data ends, by the rule of models/staging/as_of_dates.sql."""
        counts = "lower(cast(status as varchar)) not in ('cancelled', 'returned')"
        activity = {"orders": ("ordered_at", counts), "events": ("occurred_at", "true")}
        dates = " union all ".join(
            f"select try_cast({day} as date) as day, coalesce({is_activity}, true) as is_activity, "
            f"count(*) as dated from {self._file(name)} group by all"
            for name, (day, is_activity) in activity.items()
            if name in INPUTS
        )
        return self.connection.execute(
            f"""
            select min(day)
            from (
                select
                    day,
                    lead(day) over (order by day) as next_day,
                    count(*) over (order by day) as days_so_far,
                    count(*) over () as all_days,
                    sum(dated) over (order by day) as rows_so_far,
                    sum(dated) over () as all_rows
                from (
                    select day, sum(dated) as dated
                    from (
                        from ({dates})
                        where day < date '9999-12-31'
                        -- where no order counts, those that do not
                        qualify is_activity = max(is_activity) over ()
                    )
                    group by day
                )
            )
            where next_day is null
                or (
                    next_day - day > 366
                    and (
                        rows_so_far > 0.99 * all_rows
                        or (all_days - days_so_far <= 2 and days_so_far >= 3 * (all_days - days_so_far))
                    )
                )
            """
        ).fetchone()[0]

    def _references(self, name: str) -> dict[str, str]:
        """Return the columns that name rows of another input, with the SQL of what there is to name."""
        return {
            column: f"select {column} from {self.accepted(rules['references'])} where {column} is not null"
            for column, rules in self.contract[name]["columns"].items()
            if rules.get("references") in self.odd
        }

    def _find_odd(self, name: str) -> str:
        """Return the SQL that notes the rows of an input that are not plain."""
        columns, keys = self.contract[name]["columns"], self.contract[name]["key"]
        # what comes of a list is compared with it
        texts = [
            column for column, rules in columns.items() if rules["type"] == "string" and "values" not in rules
        ]
        text = f"concat_ws('|', {', '.join(texts)})"
        conditions = [
            f"regexp_matches({text}, '{ODD_TEXT}')",
            f"strlen({text}) > {LONGEST_TEXT}",
            f"hash({_hashed(keys)}) in (from repeated)",
            *(f"{column} not in ({known})" for column, known in self._references(name).items()),
        ]
        for column, rules in columns.items():
            if rules.get("required") and not rules.get("may_be_empty"):
                conditions.append(f"source.{column} is null")
            if rules["type"] != "string":
                conditions.append(f"source.{column} is not null and {_typed(column, rules)} is null")
            conditions += [
                condition
                for reason, condition in _checks(column, rules, self.latest, _plain(column, rules))
                if reason.startswith(("negative", "absurd", "too_early", "after_as_of_date", "unknown_value"))
                and column not in texts
            ]
        return f"""
            insert into odd
            with repeated as (
                select hash({_hashed(keys)}) from {self._file(name)} as source
                where {_has_all(keys)}
                group by all having count(*) > 1
            )
            select '{name}', file_row_number
            from {self._file(name)} as source
            where {" or ".join(f"coalesce({condition}, false)" for condition in conditions)}
        """

    def _reject(self, name: str) -> str:
        """Return the SQL that writes the rejected rows of an input, of those that are not plain."""
        columns, keys = self.contract[name]["columns"], self.contract[name]["key"]
        typed = [f"{_typed(column, rules)} as {column}" for column, rules in columns.items()]
        typed += [
            f"{_typed(column, rules)} is null and {_text(column)} is not null as unread_{column}"
            for column, rules in columns.items()
            if rules["type"] != "string"
        ]
        checks = [
            check
            for column, rules in columns.items()
            for check in _checks(column, rules, self.latest, column)
        ]
        checks += [
            (f"unknown_reference:{column}", f"{column} not in ({known})")
            for column, known in self._references(name).items()
        ]
        reasons = ", ".join(f"case when {condition} then '{reason}' end" for reason, condition in checks)
        newest = "updated_at desc nulls last, " if "updated_at" in columns else ""
        return f"""
            insert into rejected
            with typed as (
                select {", ".join(typed)}, file_row_number, source
                from {self._file(name)} as source
                where file_row_number in (select row_number from odd where input = '{name}')
            ),
            checked as (
                select
                    *,
                    regexp_replace(to_json(source)::varchar, ',"file_row_number":[0-9]+.$', '}}') as row_json,
                    nullif(concat_ws(', ', {reasons}), '') as problems
                from typed
            ),
            -- of rows with one key, the best is kept
            numbered as (
                select
                    *,
                    row_number() over (
                        partition by {", ".join(keys)} order by problems nulls first, {newest}row_json
                    ) as copy_number
                from checked
            ),
            reasoned as (
                select
                    *,
                    coalesce(
                        problems,
                        case when copy_number > 1 and {_has_all(keys)} then 'duplicate:{"+".join(keys)}' end
                    ) as reasons
                from numbered
            )
            select '{name}', file_row_number, concat_ws('|', {", ".join(keys)}), reasons, row_json
            from reasoned
            where reasons is not null
        """


def _checks(column: str, rules: dict, latest: date, value: str) -> list[tuple[str, str]]:
    """Return what can be wrong with the values of a column, given as SQL: [(reason, condition)]."""
    kind, checks = rules["type"], []
    if rules.get("required") and not rules.get("may_be_empty"):
        unread = "" if kind == "string" else f" and not unread_{column}"
        checks.append((f"missing:{column}", f"{value} is null{unread}"))
    if kind == "string":
        checks.append((f"broken_text:{column}", f"regexp_matches({value}, '{BROKEN_TEXT}')"))
        checks.append((f"absurd:{column}", f"length({value}) > {LONGEST_TEXT}"))
        if column.endswith("_id"):
            checks.append((f"broken_id:{column}", f"regexp_matches({value}, '{BROKEN_ID}')"))
    else:
        checks.append((f"wrong_type:{column}", f"unread_{column}"))
    if kind in ("decimal", "integer"):
        most = MAX_AMOUNT if rules["max"] == "max_amount" else rules["max"]
        checks.append((f"negative:{column}", f"{value} < 0"))
        checks.append((f"absurd:{column}", f"{value} > {most}"))
    elif kind in ("date", "timestamp"):
        earliest = rules.get("earliest", "1970-01-01")
        checks.append((f"too_early:{column}", f"{value} < date '{earliest}'"))
        if not rules.get("known_later"):
            checks.append((f"after_as_of_date:{column}", f"{value}::date > date '{latest}'"))
    if "values" in rules:
        known = _is_one_of(value, rules["values"])
        checks.append((f"unknown_value:{column}", f"{value} is not null and not {known}"))
    return checks


def _has_all(keys: list[str]) -> str:
    return " and ".join(f"{key} is not null" for key in keys)


def _hashed(keys: list[str]) -> str:
    return ", ".join(f"trim(source.{key}::varchar)" for key in keys)


def _is_one_of(text: str, values: tuple[str, ...]) -> str:
    """SQL of whether a text is one of some: a list after `in` would be joined, which takes longer."""
    known = " ".join(f"when '{value}' then true" for value in values)
    return f"(case {text} {known} else false end)"


def _text(column: str) -> str:
    """SQL of what a column says: null where that is nothing."""
    text = f"trim(source.{column}::varchar)"
    nothing = f"length({text}) <= 5 and {_is_one_of(f'lower({text})', SAYS_NOTHING)}"
    return f"(case when not ({nothing}) then {text} end)"


def _plain(column: str, rules: dict) -> str:
    """SQL of a column of a plain row in the type of the contract."""
    return f"source.{column}::varchar" if rules["type"] == "string" else _typed(column, rules)


def _typed(column: str, rules: dict) -> str:
    """SQL of a column of any row in the type of the contract: null where it can't be read."""
    if rules["type"] == "string":
        return f"lower({_text(column)})" if "values" in rules else _text(column)
    return f"try_cast(source.{column} as {TYPES.get(rules['type'], rules['type'])})"
