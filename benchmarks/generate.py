"""A shop of any size, written straight to Parquet by DuckDB: orders, order items, products and events.

Every value is a hash of who it belongs to, what it is for and the seed. So the files are the same in every
run and with any number of threads. Nothing is held in memory but what is sorted: of each order and each visit
who, when and which, from which all else follows as the files are written. Beyond the limit that is done on
disk.

The shop is skewed as real ones are: few customers order most, spend differs by orders of magnitude, customers
come and leave all the time, Decembers are strong and Januaries on sale, everybody has favourite categories
and a favourite channel, and few products make most of the sales. The files carry the column names of the
input contract, and `loaded_at` beside them: when the row was written to the warehouse, in the night after it
happened or was last changed.

`python benchmarks/generate.py FOLDER CUSTOMERS` writes FOLDER and, a day later, FOLDER_day2; with `first`
behind it, FOLDER only.
"""

import sys
from pathlib import Path

import duckdb

SEED = 20260324
FIRST_DAY = "2022-12-01"
# the 24th of a month: a day later is then a plain day, not the end of a month
LAST_DAY = "2026-03-24"
DAYS = 1210  # from the first to the last, both included
CATEGORIES = 30
PRODUCTS = 3000
MEMORY_LIMIT = "2GB"
TABLES = ("orders", "order_items", "products", "events")

# Of the orders of all time, so many are touched by a day later: see day_later().
CHANGED_SHARE = 0.001
NEW, LATE, CORRECTED, CANCELLED = 0.70, 0.10, 0.15, 0.05
LATE_BY_AT_MOST = 60  # days

CATEGORY_NAMES = [
    "garden",
    "tools",
    "bikes",
    "toys",
    "shoes",
    "coats",
    "shirts",
    "dresses",
    "bags",
    "watches",
    "jewellery",
    "books",
    "games",
    "music",
    "films",
    "phones",
    "laptops",
    "cameras",
    "audio",
    "lamps",
    "rugs",
    "beds",
    "chairs",
    "kitchen",
    "bath",
    "food",
    "wine",
    "coffee",
    "pets",
    "sports",
]


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """A connection that spills into the folder and knows how to draw numbers from hashes."""
    connection = duckdb.connect(
        config={"memory_limit": MEMORY_LIMIT, "temp_directory": str(folder / ".spill")}
    )
    connection.execute(
        f"""
        -- evenly between 0 and 1, both excluded: the `about` of one `who`
        create macro chance(who, about) as
            ((hash(who, about, {SEED}) >> 11)::double + 0.5) / 9007199254740992;
        -- standard normal, by Box and Muller
        create macro bell(who, about) as
            sqrt(-2 * ln(chance(who, about))) * cos(2 * pi() * chance(who, about || ' too'));
        create macro exponential(who, about) as -ln(chance(who, about));
        -- how busy the shop is, 1 at most: before Christmas, in the sales of January and July, less in summer
        create macro season(day) as
            case month(day)
                when 12 then 1.0 when 11 then 0.85 when 1 then 0.7 when 7 then 0.65 when 2 then 0.5
                when 8 then 0.5 else 0.58
            end
            * case when isodow(day) >= 6 then 1.0 else 0.85 end;
        create macro nth_order(n) as 'o' || lpad(n::varchar, 9, '0');
        -- categories are of unequal weight
        create macro any_category(who, about) as
            least(floor({CATEGORIES} * pow(chance(who, about), 1.6)), {CATEGORIES} - 1)::int;
        """
    )
    return connection


def loaded_after(day: str) -> str:
    """SQL of when the rows of a day are written to the warehouse: in the night after it, at two."""
    return f"({day})::date + interval 26 hour"


def numbers(first: int, last: int) -> str:
    """SQL of the numbers from `first` to before `last`."""
    return f"select unnest(range({first}, {last})) as number"


def customers(rows: str) -> str:
    """SQL of rows with the `number` of a customer: what that customer is like, beside what is in them.

    A customer comes on `first_day` and is gone from `last_day`, both in days since the first; between them
    `orders_wished` orders are on their mind, of which the season thins out some.
    """
    return f"""
        select
            *,
            least(greatest((last_day - first_day) * orders_a_day, 0), 2000) as orders_wished
        from (
            select
                *,
                'c' || lpad(number::varchar, 8, '0') as customer_id,
                -- one in five was there before the data begins
                floor({DAYS} * case when chance(number, 'known') < 0.2 then 0.05 * chance(number, 'comes')
                    else pow(chance(number, 'comes'), 0.85) end) as first_day,
                least(
                    first_day + 45 + 700 * exponential(number, 'stays') * exp(0.6 * bell(number, 'loyal')),
                    {DAYS}
                ) as last_day,
                -- three in ten never come back
                case
                    when chance(number, 'once') < 0.3 then 0 else exp(1.05 * bell(number, 'often')) * 0.0162
                end as orders_a_day,
                exp(3.6 + 0.8 * bell(number, 'spends')) as usual_amount,
                any_category(number, 'favourite') as favourite,
                any_category(number, 'second favourite') as second_favourite,
                case
                    when chance(number, 'channel') < 0.45 then 'web'
                    when chance(number, 'channel') < 0.70 then 'app'
                    when chance(number, 'channel') < 0.92 then 'store'
                    else 'marketplace'
                end as usual_channel,
                case when chance(number, 'bargains') < 0.3 then 0.55 else 0.15 end as discount_chance,
                chance(number, 'tracked') < 0.5 as is_tracked
            from ({rows})
        )
    """


def order_columns(moments: str, latest: str) -> str:
    """SQL of orders: what is in them, from `moments` (who, k, usual_*, discount_chance, ordered_at).

    `latest` is the date at which the data is taken: what happens later is not in it.
    """
    return f"""
        with priced as (
            select
                *,
                number * 4096 + k as dice,
                round(
                    usual_amount * exp(0.5 * bell(dice, 'amount'))
                    * (case when month(ordered_at) = 12 then 1.2 else 1 end)
                    + 2, 2
                )::decimal(12, 2) as list_amount,
                case
                    when chance(dice, 'discount')
                        < discount_chance * (case when month(ordered_at) in (1, 7) then 1.5 else 1 end)
                        then 0.05 + 0.35 * chance(dice, 'how much off')
                    else 0
                end as discount_share,
                chance(dice, 'ends') as fate
            from ({moments})
        ),
        paid as (
            select
                *,
                (list_amount * discount_share)::decimal(12, 2) as discount_amount,
                (list_amount - discount_amount)::decimal(12, 2) as amount,
                (list_amount * (0.45 + 0.25 * chance(dice, 'cost')))::decimal(12, 2) as cost_amount,
                ordered_at + to_seconds((3600 * (20 + 500 * chance(dice, 'comes back')))::bigint) as back_at,
                fate < 0.05 and back_at::date <= date '{latest}' as is_back
            from priced
        )
        select
            number,
            k,
            customer_id,
            ordered_at,
            amount,
            discount_amount,
            case
                when is_back and fate < 0.015 then amount
                when is_back then amount * (0.2 + 0.6 * chance(dice, 'part'))
                else 0
            end::decimal(12, 2) as returned_amount,
            case when is_back then date_trunc('second', back_at) end as returned_at,
            cost_amount,
            case
                when is_back and fate < 0.015 then 'returned'
                when fate > 0.975 then 'cancelled'
                when date '{latest}' - ordered_at::date < 2 and fate > 0.6 then 'pending'
                else 'completed'
            end as status,
            case when chance(dice, 'channel') < 0.75 then usual_channel
                else ['web', 'app', 'store', 'marketplace'][1 + floor(4 * chance(dice, 'which channel'))::int]
            end as channel,
            coalesce(
                returned_at,
                least(
                    ordered_at + to_seconds((100 + 86400 * chance(dice, 'changed'))::bigint),
                    timestamp '{latest} 23:59:59'
                )
            ) as updated_at,
            {loaded_after("updated_at")} as loaded_at
        from paid
    """


def order_file_columns(ids: str) -> str:
    """The columns of orders.parquet, in their order, with the SQL that makes the id."""
    return (
        f"{ids} as order_id, customer_id, ordered_at, amount, discount_amount, returned_amount, returned_at, "
        "cost_amount, status, channel, updated_at, loaded_at"
    )


def write(connection: duckdb.DuckDBPyConnection, query: str, file: Path) -> None:
    """Writes what a query gives as a Parquet file."""
    connection.execute(
        f"copy ({query}) to '{file}' (format parquet, compression zstd, row_group_size 122880)"
    )


def items_of(orders: str) -> str:
    """SQL of the lines of orders: 1.8 on average; what they cost is what the order costs, to the cent.

    They are loaded with the order and don't change after that: orders has placed_at, when that was.
    """
    return f"""
        with numbered as (
            select
                order_id, amount, discount_amount, placed_at,
                substr(customer_id, 2)::bigint as number,
                hash(order_id) as dice,
                least(1 + floor(ln(chance(hash(order_id), 'lines')) / ln(0.4444)), 12)::int as lines,
                0.3 + 0.4 * chance(hash(order_id), 'first line') as first_share
            from {orders}
        ),
        lines as (
            select *, unnest(range(lines)) as line, hash(dice, line) as line_dice from numbered
        ),
        tastes as (
            select
                *,
                case
                    when chance(line_dice, 'taste') < 0.5 then any_category(number, 'favourite')
                    when chance(line_dice, 'taste') < 0.7 then any_category(number, 'second favourite')
                    else any_category(line_dice, 'category')
                end as category,
                least(floor(pow(chance(line_dice, 'product'), 2.5) * {PRODUCTS // CATEGORIES}), 99)::int
                    as rank
            from lines
        )
        select
            order_id || '-' || (line + 1) as order_item_id,
            order_id,
            'p' || lpad((category + {CATEGORIES} * rank)::varchar, 5, '0') as product_id,
            case when chance(line_dice, 'two') < 0.15 then 2 else 1 end as quantity,
            {share_of("amount")} as amount,
            {share_of("discount_amount")} as discount_amount,
            {loaded_after("placed_at")} as loaded_at
        from tastes
    """


def share_of(column: str) -> str:
    """SQL of a line's part of an order's column: the last line takes what rounding leaves."""
    first = f"({column} * first_share)::decimal(12, 2)"
    other = f"(({column} * (1 - first_share)) / greatest(lines - 1, 1))::decimal(12, 2)"
    # rounding up may leave the last of many lines of a cheap order less than nothing: then the first pays all
    plain = f"lines = 1 or {column} < lines * 0.2"
    return f"""
        case
            when {plain} then case when line = 0 then {column} else 0 end
            when line = 0 then {first}
            when line < lines - 1 then {other}
            else {column} - {first} - (lines - 2) * {other}
        end::decimal(12, 2)"""


def events_of(orders: str, people: str, last_day: str) -> str:
    """SQL of events: the online orders of the tracked half, and visits that led to nothing, as they began.

    `people` has number, first_day, last_day and visits_wished.
    """
    return f"""
        with bought as (
            select
                substr(customer_id, 2)::bigint as number,
                ordered_at - interval 20 minute as starts_at,
                substr(order_id, 2)::bigint as visit,
                true as has_bought
            from {orders}
            where channel in ('web', 'app') and chance(substr(customer_id, 2)::bigint, 'tracked') < 0.5
                and chance(hash(order_id), 'seen') < 0.5
        ),
        visits as (
            select *, unnest(range(floor(visits_wished + chance(number, 'visits'))::bigint)) as visit
            from ({people})
        ),
        looked as (
            select
                number,
                timestamp '{FIRST_DAY}' + to_seconds((86400 * (
                    first_day + (last_day - first_day) * chance(number * 4096 + visit, 'visit')
                ))::bigint) as starts_at,
                visit,
                false as has_bought
            from visits
        ),
        begun as (
            select * from (select * from bought union all select * from looked)
            order by starts_at, number, has_bought, visit
        ),
        sessions as (
            select
                *,
                'c' || lpad(number::varchar, 8, '0') as customer_id,
                case
                    when has_bought then 's' || substr(nth_order(visit), 2) else 'v' || number || '-' || visit
                end as session_id,
                case
                    when has_bought then hash(nth_order(visit), 'session')
                    else hash(number * 4096 + visit, '{last_day}', 'session')
                end as dice
            from begun
        ),
        steps as (
            select
                *,
                floor(3.2 * exponential(dice, 'views'))::int as views,
                has_bought or chance(dice, 'cart') < 0.15 as has_cart,
                unnest(range(1 + least(views, 20) + has_cart::int + has_bought::int)) as step
            from sessions
        )
        select
            session_id || '-' || step as event_id,
            customer_id,
            least(starts_at + to_seconds((step * 60 + floor(50 * chance(dice, 'pace')))::bigint),
                  timestamp '{last_day} 23:59:59') as occurred_at,
            case
                when step = 0 then 'visit'
                when step <= least(views, 20) then 'view'
                when has_cart and step = 1 + least(views, 20) then 'add_to_cart'
                else 'purchase'
            end as event_type,
            session_id,
            case
                when step > 0 then 'p' || lpad((
                    case
                        when chance(dice, 'taste') < 0.6
                            then any_category(number, 'favourite')
                        else any_category(hash(dice, step), 'category')
                    end
                    + {CATEGORIES} * least(floor(pow(chance(hash(dice, step), 'product'), 2.5)
                        * {PRODUCTS // CATEGORIES}), 99)
                )::int::varchar, 5, '0')
            end as product_id,
            case
                when chance(dice, 'device') < 0.6 then 'mobile'
                when chance(dice, 'device') < 0.95 then 'desktop'
                else 'tablet'
            end as device,
            ['direct', 'search', 'email', 'social'][1 + floor(4 * pow(chance(dice, 'led by'), 1.5))::int]
                as channel,
            {loaded_after("occurred_at")} as loaded_at
        from steps
    """


def generate(folder: Path, number: int) -> None:
    """Writes the shop with so many customers, about ten orders each, as it is on the evening of LAST_DAY."""
    folder.mkdir(parents=True, exist_ok=True)
    connection = connect(folder)
    moments = f"""
        with wishes as (
            select number, first_day, last_day, unnest(range(1 + ceil(2 * orders_wished)::bigint)) as k
            from ({customers(numbers(0, number))})
        ),
        times as (
            select
                *,
                -- the first order is on the first day; the others are anywhere until the customer leaves
                case
                    when k = 0 then first_day
                    else first_day + floor((last_day - first_day) * chance(number * 4096 + k, 'when'))
                end::int as day,
                date '{FIRST_DAY}' + day as date_day
            from wishes
        )
        select
            number, k,
            date_day + to_seconds((25200 + 57600 * chance(number * 4096 + k, 'hour'))::bigint) as ordered_at
        from times
        where k = 0 or chance(number * 4096 + k, 'season') < season(date_day)
        order by ordered_at, number, k
    """
    write(
        connection,
        f"""
        select {order_file_columns("nth_order(row_number() over ())")}
        from ({order_columns(customers(moments), LAST_DAY)})
        """,
        folder / "orders.parquet",
    )
    orders = f"'{folder / 'orders.parquet'}'"
    write(
        connection,
        items_of(f"(select *, ordered_at as placed_at from {orders})"),
        folder / "order_items.parquet",
    )
    people = f"""
        select
            number,
            first_day,
            least(last_day + 30, {DAYS}) as last_day,
            60 * chance(number, 'curious') * exp(0.7 * bell(number, 'visits')) * 0.1 as visits_wished
        from ({customers(numbers(0, number))})
        where is_tracked
    """
    write(connection, events_of(orders, people, LAST_DAY), folder / "events.parquet")
    write(connection, products(), folder / "products.parquet")
    connection.close()
    write_inputs(folder)


def products() -> str:
    """SQL of the products: a hundred in each category."""
    names = ", ".join(f"'{name}'" for name in CATEGORY_NAMES)
    return f"""
        select
            'p' || lpad(number::varchar, 5, '0') as product_id,
            [{names}][1 + number % {CATEGORIES}] || ' ' || (1 + number // {CATEGORIES}) as product_name,
            [{names}][1 + number % {CATEGORIES}] as category,
            'brand ' || floor(200 * pow(chance(number, 'brand'), 2))::int as brand,
            timestamp '{FIRST_DAY}' as updated_at,
            {loaded_after("updated_at")} as loaded_at
        from (select unnest(range({PRODUCTS})) as number)
        order by product_id
    """


def write_inputs(folder: Path) -> None:
    """Writes the vars file by which `segmentation build --input FOLDER/inputs.yml` reads the files."""
    name = folder.name.removesuffix("_day2")
    lines = [
        f"database: bench_{name}",
        "currency: EUR",
        "time_zone: Europe/Berlin",
        "max_amount: 1000000",
        "inputs:",
        *(
            f"  {table}: {{file: {folder.resolve() / table}.parquet, loaded_at: loaded_at}}"
            for table in TABLES
        ),
    ]
    (folder / "inputs.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def day_later(folder: Path, target: Path) -> None:
    """Writes the files of `folder` as they are a day later.

    0.1 % of the orders are touched: 70 % of these are of the new day, 10 % come late and are up to 60 days
    old, 15 % are corrected (less paid, paid back, or cancelled) and 5 % are cancelled; `updated_at` says
    when. All of these have the time of this load in `loaded_at`, late ones as well. No row is gone: where an
    input says when rows were loaded, nobody could see that.
    """
    target.mkdir(parents=True, exist_ok=True)
    connection = connect(target)
    before = f"'{folder / 'orders.parquet'}'"
    orders, shoppers, known = connection.execute(
        f"select count(*), count(distinct customer_id), max(substr(customer_id, 2)::bigint) + 1 from {before}"
    ).fetchone()
    touched = max(round(orders * CHANGED_SHARE), 20)
    new_day = f"(date '{LAST_DAY}' + 1)"
    latest = connection.execute(f"select {new_day}::varchar").fetchone()[0]
    # which orders change: those with the smallest hashes, of the last 60 days
    connection.execute(
        f"""
        create table fates as
        select
            order_id,
            case
                when row_number() over (order by hash(order_id, {SEED}), order_id)
                    <= {round(touched * CANCELLED)}
                    then 'cancelled'
                else 'corrected'
            end as fate
        from {before}
        where ordered_at >= date '{LAST_DAY}' - {LATE_BY_AT_MOST}
        order by hash(order_id, {SEED}), order_id
        limit {round(touched * (CANCELLED + CORRECTED))}
        """
    )
    # who orders: one in eight is new, the others are who placed some order of the last half year
    connection.execute(
        f"""
        create table recent as
        select substr(customer_id, 2)::bigint as number
        from {before}
        where ordered_at >= date '{LAST_DAY}' - 180
        """
    )
    recent = connection.execute("select count(*) from recent").fetchone()[0]
    moments = f"""
        select
            people.*,
            4095 - draws.draw % 2 as k,
            case when draw < {round(touched * NEW)} then {new_day}
                else date '{LAST_DAY}' - floor({LATE_BY_AT_MOST} * chance(draw, 'how late'))::int end
            + to_seconds((25200 + 57600 * chance(draw, 'hour a day later'))::bigint) as ordered_at,
            draw
        from (
            select
                draw,
                case when chance(draw, 'new') < 0.125 then {known} + draw else recent.number end as number
            from (select unnest(range({round(touched * (NEW + LATE))})) as draw) as drawn
            inner join recent on floor({recent} * chance(draw, 'who')) = recent.rowid
        ) as draws
        inner join ({customers(numbers(0, known + touched))}) as people on draws.number = people.number
    """
    connection.execute(
        f"create table added as select *, row_number() over (order by ordered_at, number, k) as place "
        f"from ({order_columns(moments, latest)})"
    )
    connection.execute(f"update added set loaded_at = {loaded_after(new_day)}")
    last_id = f"(select max(substr(order_id, 2)::bigint) from {before})"
    write(
        connection,
        f"""
        with known as (
            select
                orders.*,
                fate is not null as is_touched,
                case when fate = 'corrected' then chance(orders.order_id, 'correction') end as correction,
                fate = 'cancelled' or correction > 0.8 as is_cancelled,
                status = 'pending' and chance(orders.order_id, 'paid') < 0.7 as is_paid
            from {before} as orders
            left join fates on orders.order_id = fates.order_id
        )
        select
            * exclude (is_touched, correction, is_cancelled, is_paid) replace (
                case when correction < 0.4 then (amount * 0.9)::decimal(12, 2) else amount end as amount,
                case when correction between 0.4 and 0.8 then (amount * 0.5)::decimal(12, 2)
                    else returned_amount end as returned_amount,
                case when correction between 0.4 and 0.8 then {new_day} + interval 10 hour
                    else returned_at end as returned_at,
                case when is_cancelled then 'cancelled' when is_paid then 'completed' else status end
                    as status,
                case when is_touched or is_paid then {new_day} + interval 11 hour else updated_at end
                    as updated_at,
                case when is_touched or is_paid then {loaded_after(new_day)} else loaded_at end as loaded_at
            )
        from known
        union all
        select {order_file_columns(f"nth_order({last_id} + place)")} from added
        """,
        target / "orders.parquet",
    )
    after = f"'{target / 'orders.parquet'}'"
    is_added = f"order_id > (select max(order_id) from {before})"
    write(
        connection,
        f"""
        from '{folder / "order_items.parquet"}'
        union all
        from ({items_of(f"(select *, {new_day} as placed_at from {after} where {is_added})")})
        """,
        target / "order_items.parquet",
    )
    # visits of the new day: as many as a day has on average
    people = f"""
        select
            number, {DAYS} as first_day, {DAYS} + 1 as last_day,
            {shoppers} / {known} as visits_wished
        from ({customers(numbers(0, known))})
        where is_tracked and chance(number, 'visits a day later') < 0.005
    """
    connection.execute(f"create table opened as from {after} where {is_added}")
    write(
        connection,
        f"""
        from '{folder / "events.parquet"}'
        union all
        select * replace ('n' || event_id as event_id, 'n' || session_id as session_id,
            least(greatest(occurred_at, {new_day}), {new_day} + interval 86399 second) as occurred_at,
            {loaded_after(new_day)} as loaded_at)
        from ({events_of("opened", people, latest)})
        """,
        target / "events.parquet",
    )
    write(connection, products(), target / "products.parquet")
    connection.close()
    write_inputs(target)


def main() -> None:
    """Writes a shop into the folder and with as many customers as the arguments say, and a day later."""
    folder, number = Path(sys.argv[1]), int(sys.argv[2])
    generate(folder, number)
    if sys.argv[3:] != ["first"]:
        day_later(folder, folder.with_name(folder.name + "_day2"))


if __name__ == "__main__":
    main()
