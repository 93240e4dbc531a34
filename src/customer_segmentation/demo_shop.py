"""The demo shop: a Korean omnichannel retailer that never was, made from a fixed seed.

    python -m customer_segmentation.demo_shop --out seeds/demo

Every customer is of a latent type with its own rhythm, tastes and habits; the type and its parameters are
kept in `truth.csv.gz`, which no model reads. Known numbers of bad rows of every kind are mixed into the
files and counted in `expected_rejections.csv`.

The calculation runs on integers (days and seconds since the start, Korean won) and on arrays indexed by
customer, order or session. Only the last step turns them into text.
"""

import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import pandas as pd

SEED = 20260617
START = np.datetime64("2023-07-01")
LATEST = np.datetime64("2026-06-17")
EVENTS_FROM = np.datetime64("2025-01-01")
DAY = 86_400
DAYS = int((LATEST - START).astype(int)) + 1
NEVER = DAYS * DAY + 10_000 * DAY  # later than anything, in seconds since the start
LAST_SECOND = DAYS * DAY - 1
EVENTS_FROM_DAY = int((EVENTS_FROM - START).astype(int))

GUESTS = 18
SAMPLE_ORDERS = 26
REFUNDS_WITH_SHIPPING = 14
SHIPPING = 3_000
LONGEST_SPELL = 240  # orders drawn per customer before those after the end are cut off
MOST_ORDERS_PER_YEAR = 60


def table(text: str) -> pd.DataFrame:
    """Read a table written as text: columns are parted by two or more spaces, the first names the row."""
    return pd.read_csv(io.StringIO(text.strip()), sep=r"\s{2,}", engine="python", index_col=0)


# Who there is. joins_from and joins_to: the part of the three years in which they place their first order;
# growth: below 1 most come early, above 1 most come late. per_year: orders. regularity: shape of the gaps
# between orders; 1 is pure chance, 8 is like clockwork. lifetime: years until they stop. season: how
# strongly the calendar moves them. known_before: days from registration to first order. All on average.
RHYTHM = table("""
type             people  joins_from  joins_to  growth  per_year  regularity  lifetime  season  known_before
champion            100        0.00      0.85     0.7      17.0         2.5       6.0     0.5             1
regular             230        0.00      0.92     0.7       9.0         8.0       3.5     0.3             2
discount_hunter     200        0.00      0.96     0.9       6.5         1.2       2.0     1.6             6
gift_buyer          205        0.00      0.95     0.6       3.6         1.0       3.5     4.0             5
new_starter         190        0.92      1.00     1.5      10.0         1.5       0.5     0.5             1
one_and_done        460        0.00      0.97     1.1       1.0         1.0       0.0     1.0             3
big_ticket           85        0.00      0.97     0.7       1.5         2.0       4.0     0.8            20
store_regular       145        0.00      0.93     0.4       7.0         4.0       3.0     0.4             0
app_browser         150        0.05      0.97     1.5       1.5         1.0       2.5     1.0            45
lapsed_loyal        110        0.00      0.35     0.5       9.0         4.0      99.0     0.4             2
business             55        0.00      0.95     0.5       9.0         3.0       4.0     0.3             7
prospect            190        0.30      1.00     2.0       0.0         1.0       0.0     1.0             0
""")

# How they shop. lines: products in a basket. units: those above one, times the category's bulk.
# price: 0 likes the cheapest of its kind, 4 the dearest. deals: share of orders at a reduced price.
# focus: 1 buys everywhere, 8 is devoted to a category. store, web, app: where they order.
# weekend: a Saturday or Sunday against a weekday. loves: categories that get two fifths of what they buy.
HABITS = table("""
type             lines  units  price  deals  focus  store   web   app  weekend  hours    loves
champion           2.8    0.3    2.6   0.25    1.5   0.25  0.25  0.50      1.2  evening  women,skincare,food
regular            2.3    0.3    2.0   0.20    4.0   0.35  0.30  0.35      1.1  evening  food,snacks,kids
discount_hunter    2.6    0.4    0.8   0.80    1.5   0.05  0.45  0.50      1.3  night    women,men,makeup
gift_buyer         1.7    0.5    2.4   0.30    3.0   0.40  0.40  0.20      1.0  day      gifts,snacks
new_starter        1.8    0.2    1.8   0.45    2.0   0.15  0.30  0.55      1.2  night    makeup,skincare,women
one_and_done       1.5    0.1    1.6   0.45    3.0   0.35  0.35  0.30      1.2  evening  shoes,home
big_ticket         1.3    0.0    3.7   0.15    4.0   0.45  0.45  0.10      1.5  evening  electronics,shoes
store_regular      2.4    0.3    2.1   0.10    2.5   1.00  0.00  0.00      0.8  day      food,kitchen,home
app_browser        1.4    0.1    1.4   0.50    1.5   0.02  0.13  0.85      1.3  night    women,makeup,shoes
lapsed_loyal       2.3    0.3    2.0   0.25    2.5   0.25  0.45  0.30      1.1  evening  home,kitchen,kids
business           3.2    1.4    2.0   0.20    2.5   0.10  0.90  0.00     0.05  office   snacks,gifts,kitchen
prospect           1.0    0.0    2.0   0.00    1.5   0.02  0.48  0.50      1.2  night    shoes,electronics
""")

# What they do online beyond their orders, and who they are. visits: a month, without an order, of one who
# is all online. searches, views: in one visit. abandons: share of visits that leave a filled cart.
# desktop: share of web visits. consents: how readily given, against the usual. age, women, married: of
# persons. disclosed: how much they tell of themselves.
PEOPLE = table("""
type             visits  searches  views  abandons  desktop  consents  age  women  married  disclosed
champion            1.8       0.4    1.3      0.10     0.35      1.30   41   0.72     0.65       0.92
regular             0.9       0.3    1.0      0.08     0.50      1.10   44   0.60     0.70       0.85
discount_hunter     2.0       0.9    2.0      0.25     0.40      1.25   34   0.65     0.40       0.75
gift_buyer          0.4       0.5    1.3      0.10     0.60      0.90   50   0.50     0.75       0.75
new_starter         1.8       0.6    1.6      0.18     0.25      1.00   28   0.66     0.25       0.65
one_and_done        0.4       0.5    1.2      0.12     0.45      0.70   37   0.55     0.45       0.55
big_ticket          1.2       1.4    2.6      0.15     0.75      0.90   46   0.38     0.65       0.80
store_regular       0.0       0.0    0.7      0.00     0.50      0.60   58   0.62     0.80       0.60
app_browser         4.0       0.8    2.1      0.45     0.10      1.10   29   0.74     0.25       0.70
lapsed_loyal        1.0       0.4    1.2      0.12     0.55      0.95   42   0.60     0.60       0.85
business            0.8       1.0    1.0      0.08     0.95      1.00    0   0.50     0.50       0.90
prospect            0.8       0.6    1.4      0.15     0.45      0.80   33   0.56     0.40       0.50
""")

TYPES = pd.concat([RHYTHM, HABITS, PEOPLE], axis="columns")

# weight: how often a line is of this category. cost: of the list price. returned: share of lines sent back.
# bulk: how readily more than one unit is bought. women: how much more often than men's average.
CATEGORIES = table("""
slug         category         weight  cost  returned  bulk  women
women        Women's fashion     1.1  0.42      0.13   0.1    2.2
men          Men's fashion       0.8  0.44      0.11   0.1    0.5
shoes        Shoes & bags        0.5  0.46      0.12   0.0    1.2
skincare     Skincare            1.2  0.36      0.03   0.6    1.8
makeup       Make-up             0.9  0.34      0.03   0.4    2.2
home         Home & living       0.8  0.52      0.06   0.5    1.1
kitchen      Kitchen             0.7  0.55      0.05   0.5    1.0
food         Fresh food          1.8  0.72     0.006   1.2    1.0
snacks       Snacks & tea        1.6  0.58     0.005   2.0    1.0
gifts        Gift sets           0.5  0.60     0.015   1.0    0.9
electronics  Electronics         0.1  0.78      0.06   0.1    0.6
kids         Kids & baby         0.6  0.54      0.07   0.8    1.2
""")

# Brands from cheap to dear; descriptions; goods with a usual price in thousand won. All brands are invented.
BRAND_LEVELS = np.array([0.50, 0.68, 0.86, 1.15])
GOODS = {
    "women": (
        "온새 라윤 모노담 솔레하",
        "데일리 린넨 모던 소프트 클래식",
        "블라우스:39 원피스:69 니트:49 슬랙스:45 트렌치코트:149 스커트:42 가디건:52",
    ),
    "men": (
        "하루진 브릭온 모노담 도윤결",
        "베이직 슬림핏 오버핏 워싱 클래식",
        "옥스퍼드_셔츠:45 치노_팬츠:49 니트:55 재킷:129 티셔츠:25 데님_팬츠:59 패딩_조끼:79",
    ),
    "shoes": (
        "걸음새 포레온 라윤 누보담",
        "라이트 데일리 소가죽 캔버스 미니멀",
        "스니커즈:79 로퍼:99 샌들:59 토트백:119 백팩:89 크로스백:75 앵클부츠:129",
    ),
    "skincare": (
        "초록뜰 이슬담 물빛결 하얀숲",
        "약산성 쌀겨 어성초 히알루론 무향",
        "토너:22 세럼:34 수분크림:29 클렌징폼:14 선크림:19 마스크팩_10매:18 아이크림:38",
    ),
    "makeup": (
        "채담 로제온 물빛결 하얀숲",
        "벨벳 글로우 매트 촉촉 롱래스팅",
        "립틴트:14 쿠션:29 아이섀도_팔레트:28 마스카라:16 블러셔:15 컨실러:14 향수:69",
    ),
    "home": (
        "소소재 온마루 포근담 나무결",
        "호텔 북유럽 사계절 내추럴 순면",
        "차렵이불:89 쿠션_커버:15 디퓨저:24 수건_5장:26 러그:79 스탠드_조명:59 커튼:69",
    ),
    "kitchen": (
        "소소재 정담 나무결 가마솔",
        "매일 단단한 스테인리스 손잡이 모던",
        "프라이팬:39 접시_세트:49 머그컵:14 식칼:35 밀폐용기_세트:29 전기포트:49 냄비_세트:119",
    ),
    "food": (
        "푸른밭 들녘상회 바다담 한울농원",
        "산지직송 무농약 새벽 제철 프리미엄",
        "사과_3kg:27 한우_불고기_600g:39 나물_모음:12 자반고등어:16 쌀_5kg:29 감귤_5kg:24 계란_30구:10",
    ),
    "snacks": (
        "바삭당 구름과자 들녘상회 다온차",
        "고소한 달콤한 수제 유기농 오리지널",
        "녹차_티백:13 약과:15 견과_믹스:19 드립_커피:17 쌀과자:7 초콜릿:12 유자청:15",
    ),
    "gifts": (
        "정담 다온차 이슬담 한울농원",
        "정성 보자기 명절 감사 특선",
        "홍삼_세트:89 한과_세트:45 한우_세트:169 과일_세트:65 비누_세트:35 참기름:42 와인잔:59",
    ),
    "electronics": (
        "픽셀담 소리결 해온 누리온",
        "콤팩트 스마트 저소음 프로 라이트",
        "무선_이어폰:99 공기청정기:259 로봇청소기:449 태블릿:549 스피커:89 노트북:1190 램프:69",
    ),
    "kids": (
        "몽글 꼬마숲 아기별 초록뜰",
        "첫걸음 순면 안심 무지개 포근한",
        "내복_세트:24 그림책_세트:45 원목_블록:39 기저귀_4팩:59 물티슈_10팩:19 유아_식판:18 점퍼:55",
    ),
}
OFFERS_PER_GOOD = 3
ODD_NAMES = (  # legitimate, and hard on careless readers of CSV
    '온새 "클래식" 블라우스, 3종 세트',
    "다온차 선물세트\n(보자기 포장)",
    "L'été 솔레하 원피스 / 한정판",
    "초록뜰 토너 200ml, 1+1 🌿",
)

# Inhabitants, rounded; the city gives the region its name where it is a region of its own.
CITIES = table("""
city    region           population
서울    서울특별시          9390000
부산    부산광역시          3290000
인천    인천광역시          3000000
대구    대구광역시          2370000
대전    대전광역시          1440000
광주    광주광역시          1420000
울산    울산광역시          1100000
세종    세종특별자치시       388000
수원    경기도              1190000
용인    경기도              1080000
고양    경기도              1070000
화성    경기도               950000
성남    경기도               920000
부천    경기도               780000
안양    경기도               550000
양평    경기도               126000
춘천    강원특별자치도       286000
강릉    강원특별자치도       210000
평창    강원특별자치도        41000
청주    충청북도             850000
천안    충청남도             660000
전주    전북특별자치도       640000
여수    전라남도             270000
해남    전라남도              64000
포항    경상북도             490000
안동    경상북도             153000
창원    경상남도            1010000
김해    경상남도             530000
거창    경상남도              60000
제주    제주특별자치도       490000
""")

# Weight of each hour of the day, from midnight on.
HOURS = {
    "day": "000000124688766665543210",
    "evening": "210000013333533334678975",
    "night": "753210011222322222334579",
    "office": "000000002699859998410000",
    "store": "000000000003677577898600",
}
HOUR_WEIGHTS = pd.DataFrame({name: [float(digit) for digit in digits] for name, digits in HOURS.items()}).T

CHANNELS = np.array(["store", "web", "app"])
STORE, WEB, APP = range(3)
SOURCES = np.array(["direct", "search", "social", "email", "push"])  # what led to a visit
SOURCE_WEIGHTS = {WEB: (0.34, 0.32, 0.16, 0.18, 0.00), APP: (0.56, 0.05, 0.12, 0.07, 0.20)}
STATUSES = np.array(["completed", "pending", "cancelled", "returned"])
COMPLETED, PENDING, CANCELLED, RETURNED = range(4)
STEPS = np.array(["visit", "search", "view", "add_to_cart", "remove_from_cart", "checkout", "purchase"])
VISIT, SEARCH, VIEW, ADD_TO_CART, REMOVE_FROM_CART, CHECKOUT, PURCHASE = range(7)
CONSENTS = {"email": 0.62, "sms": 0.48, "push": 0.45, "messenger": 0.55, "phone": 0.10, "post": 0.06}
AGE_BANDS = ("under 18", "18-24", "25-34", "35-44", "45-54", "55-64", "65+")
INCOME_BANDS = ("1 under 30M", "2 30M-50M", "3 50M-80M", "4 80M-120M", "5 over 120M")
INDUSTRIES = ("Hospitality", "Wholesale, retail", "Education", "IT services", 'Design "studios"')

HOLIDAYS = ("2023-09-29", "2024-02-10", "2024-09-17", "2025-01-29", "2025-10-06", "2026-02-17")


# ---------------------------------------------------------------- chance


def stream(name: str) -> np.random.Generator:
    """A random stream of its own for each step: a change in one leaves the draws of the others alone."""
    return np.random.Generator(np.random.PCG64([SEED, zlib.crc32(name.encode())]))


def traits(kind: np.ndarray, column: str) -> np.ndarray:
    """A column of the table of types, for each customer."""
    return TYPES[column].to_numpy()[kind]


def is_a(name: str, kind: np.ndarray) -> np.ndarray:
    """Whether each customer is of the type of that name."""
    return kind == TYPES.index.get_loc(name)


def pick(rng: np.random.Generator, weights: np.ndarray) -> np.ndarray:
    """For each row of weights, the number of a column, drawn in proportion to them."""
    bounds = weights.cumsum(axis=1)
    drawn = rng.random(len(weights)) * bounds[:, -1]
    return (drawn[:, None] >= bounds).sum(axis=1).clip(max=weights.shape[1] - 1)


def dirichlet(rng: np.random.Generator, concentrations: np.ndarray) -> np.ndarray:
    """Shares that add up to one in each row; the smaller the concentrations, the more uneven."""
    drawn = rng.gamma(concentrations) + 1e-12 * (concentrations > 0)
    return drawn / drawn.sum(axis=1, keepdims=True)


def rank_within(groups: np.ndarray) -> np.ndarray:
    """0, 1, 2 … within each run of equal values."""
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]]) if len(groups) else np.array([], int)
    return np.arange(len(groups)) - np.repeat(starts, np.diff(np.r_[starts, len(groups)]))


# ---------------------------------------------------------------- calendar


def season() -> np.ndarray:
    """How busy each day is against the average: holidays, November, the summer dip."""
    days = START + np.arange(DAYS)
    month = days.astype("datetime64[M]").astype(int) % 12 + 1
    day = (days - days.astype("datetime64[M]")).astype(int) + 1
    busy = np.select([month == 11, month == 12, month == 1, month == 8], [1.45, 1.15, 0.88, 0.80], 1.0)
    busy *= np.where((month == 11) & (np.abs(day - 11) <= 1), 1.5, 1.0)
    busy *= np.where((month == 11) & (day >= 24), 1.25, 1.0)
    busy *= np.where((month == 5) & (day <= 8), 1.35, 1.0)
    for holiday in HOLIDAYS:
        before = (np.datetime64(holiday) - days).astype(int)
        busy *= np.where((before >= 2) & (before <= 20), 1.35 + 0.03 * (20 - before), 1.0)
        busy *= np.where(np.abs(before) <= 1, 0.35, 1.0)
    return busy


def clocks() -> np.ndarray:
    """For each type, shop time passed before each day: it runs fast on busy days, slowly on dull ones."""
    is_weekend = ~np.is_busday(START + np.arange(DAYS))
    pace = season() ** TYPES["season"].to_numpy()[:, None]
    pace *= np.where(is_weekend, TYPES["weekend"].to_numpy()[:, None], 1.0)
    pace /= pace.mean(axis=1, keepdims=True)
    return np.c_[np.zeros(len(TYPES)), pace.cumsum(axis=1)]


def day_at(clock: np.ndarray, kind: np.ndarray, shop_time: np.ndarray) -> np.ndarray:
    """The day on which the clock of the customer's type shows the shop time; DAYS where it is over."""
    day = np.empty(len(shop_time), int)
    for number, row in enumerate(clock):
        mine = kind == number
        day[mine] = np.searchsorted(row, shop_time[mine], side="right") - 1
    return day.clip(0, DAYS)


def time_of_day(rng: np.random.Generator, profile: np.ndarray, usual_hour: np.ndarray) -> np.ndarray:
    """Seconds since midnight: within an hour of the customer's usual hour, or by the profile of hours."""
    hour = pick(rng, HOUR_WEIGHTS.loc[profile].to_numpy())
    habitual = (rng.random(len(hour)) < 0.55) & (profile != "store")
    near = (usual_hour + rng.integers(-1, 2, len(hour))).clip(0, 23)
    return np.where(habitual, near, hour) * 3600 + rng.integers(0, 3600, len(hour))


# ---------------------------------------------------------------- catalogue


def catalogue() -> pd.DataFrame:
    """One row per product: its names, category number, list price and popularity."""
    rng = stream("catalogue")
    rows = []
    for number, slug in enumerate(CATEGORIES.index):
        brands, descriptions, goods = (words.split() for words in GOODS[slug])
        for place, good in enumerate(goods):
            noun, thousands = good.replace("_", " ").split(":")
            for level in sorted((place + offset) % len(brands) for offset in range(OFFERS_PER_GOOD)):
                name = f"{brands[level]} {descriptions[rng.integers(len(descriptions))]} {noun}"
                price = float(thousands) * BRAND_LEVELS[level] * (0.9 + 0.2 * rng.random())
                rows.append((name, number, brands[level], max(round(price), 2) * 1000 - 100))
    products = pd.DataFrame(rows, columns=["product_name", "category", "brand", "price"])
    products["popularity"] = (rng.permutation(len(products)) + 4.0) ** -0.6
    for row, name in zip(rng.choice(len(products), len(ODD_NAMES), replace=False), ODD_NAMES, strict=True):
        products.loc[row, "product_name"] = name
    products["updated"] = rng.integers(-30 * DAY, LAST_SECOND, len(products))
    return products


def choose_products(
    rng: np.random.Generator, products: pd.DataFrame, taste: np.ndarray, tier: np.ndarray
) -> np.ndarray:
    """For each row of taste (weights of categories) a product, dearer for a higher price tier (0 to 4)."""
    category = products["category"].to_numpy()
    level = np.log(products["price"].to_numpy())
    by_category = pd.Series(level).groupby(category)
    standing = (level - by_category.transform("mean").to_numpy()) / by_category.transform("std").to_numpy()
    wanted = pick(rng, taste)
    drawn = rng.random(len(wanted))
    chosen = np.empty(len(wanted), int)
    for this_tier in range(5):
        weights = products["popularity"].to_numpy() * np.exp(0.6 * (this_tier - 2) * standing)
        bounds = np.r_[0.0, weights.cumsum()]
        first = bounds[np.searchsorted(category, np.arange(len(CATEGORIES)), side="left")]
        last = bounds[np.searchsorted(category, np.arange(len(CATEGORIES)), side="right")]
        mine = tier == this_tier
        point = first[wanted] + drawn * (last - first)[wanted]
        chosen[mine] = np.searchsorted(bounds, point[mine], side="right") - 1
    return chosen.clip(max=len(products) - 1)


# ---------------------------------------------------------------- people


def population(clock: np.ndarray) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """One row per customer with all that drives them, their tastes, and where they order."""
    rng = stream("population")
    kind = np.repeat(np.arange(len(TYPES)), TYPES["people"])
    size = len(kind)
    share = rng.random(size) ** (1 / traits(kind, "growth"))
    joined = traits(kind, "joins_from") + share * (traits(kind, "joins_to") - traits(kind, "joins_from"))
    first_day = day_at(clock, kind, joined * clock[kind, -1]).clip(max=DAYS - 1)
    rate = traits(kind, "per_year") * rng.gamma(3.0, 1 / 3.0, size).clip(min=0.25)
    lifetime = rng.exponential(365 * traits(kind, "lifetime"), size).astype(int)
    loyal_then_lost = is_a("lapsed_loyal", kind)
    last_day = np.where(loyal_then_lost, rng.integers(DAYS - 600, DAYS - 150, size), first_day + lifetime)
    returns_day = rng.integers(DAYS - 110, DAYS - 5, size)
    is_won_back = loyal_then_lost & (rng.random(size) < 0.3)
    people = pd.DataFrame(
        {
            "kind": kind,
            "first_day": first_day,
            "last_day": np.where(last_day < DAYS, last_day, DAYS),
            "won_back_day": np.where(is_won_back, returns_day, DAYS),
            "rate": rate.clip(max=MOST_ORDERS_PER_YEAR),
            "tier": (traits(kind, "price") + rng.normal(0, 0.8, size)).round().clip(0, 4).astype(int),
            "discount": (traits(kind, "deals") * (0.6 + 0.8 * rng.random(size))).clip(max=0.95),
            "usual_hour": pick(rng, HOUR_WEIGHTS.loc[traits(kind, "hours")].to_numpy()),
            "is_business": is_a("business", kind),
            "is_female": rng.random(size) < traits(kind, "women"),
            "age": rng.normal(traits(kind, "age"), 9.0).round().clip(17, 88).astype(int),
            "is_guest": rank_within(kind) < np.where(is_a("one_and_done", kind), GUESTS, 0),
        }
    )
    people["is_married"] = rng.random(size) < traits(kind, "married") * np.where(people["age"] < 27, 0.2, 1.1)
    at_parenting_age = people["age"].between(29, 52) & people["is_married"]
    people["children"] = np.where(at_parenting_age, rng.choice(4, size, p=[0.3, 0.36, 0.28, 0.06]), 0)
    return people, tastes(rng, people), where_they_order(rng, people)


def tastes(rng: np.random.Generator, people: pd.DataFrame) -> np.ndarray:
    """Weight of each category for each customer: what the type loves, the person, and chance."""
    kind = people["kind"].to_numpy()
    loved = np.array([[slug in loves.split(",") for slug in CATEGORIES.index] for loves in TYPES["loves"]])
    leaning = CATEGORIES["women"].to_numpy() ** np.where(people["is_female"], 1.0, -1.0)[:, None]
    leaning = np.where(people["is_business"].to_numpy()[:, None], 1.0, leaning)
    usual = CATEGORIES["weight"].to_numpy() / CATEGORIES["weight"].sum()
    weights = (0.6 * usual + 0.4 * loved / loved.sum(axis=1, keepdims=True))[kind] * leaning
    weights *= np.where(CATEGORIES.index == "kids", 0.2 + people["children"].to_numpy()[:, None], 1.0)
    shares = weights / weights.sum(axis=1, keepdims=True)
    return dirichlet(rng, shares * 12 / traits(kind, "focus")[:, None])


def where_they_order(rng: np.random.Generator, people: pd.DataFrame) -> np.ndarray:
    """Share of store, web and app in the orders of each customer; guests only come to the stores."""
    mix = TYPES[list(CHANNELS)].to_numpy()[people["kind"]]
    mix = np.where(people["is_guest"].to_numpy()[:, None], [1.0, 0.0, 0.0], mix)
    return dirichlet(rng, 4 * mix)


# ---------------------------------------------------------------- orders


def spells(rng: np.random.Generator, clock: np.ndarray, people: pd.DataFrame) -> pd.DataFrame:
    """Order days of customers who start on first_day and stop after last_day, each in their own rhythm."""
    kind = people["kind"].to_numpy()
    shape = traits(kind, "regularity")[:, None]
    gaps = rng.gamma(shape, 1 / shape, (len(people), LONGEST_SPELL))
    gaps *= 365 / people["rate"].to_numpy()[:, None]
    gaps[:, 0] = 0
    began = clock[kind, people["first_day"]][:, None] + 0.01
    shop_time = (began + gaps.cumsum(axis=1)).ravel()
    customer = np.repeat(people.index.to_numpy(), LONGEST_SPELL)
    day = day_at(clock, np.repeat(kind, LONGEST_SPELL), shop_time)
    kept = (day < DAYS) & (day <= np.repeat(people["last_day"].to_numpy(), LONGEST_SPELL))
    first_of_many = np.tile(np.arange(LONGEST_SPELL) == 0, len(people))
    once = TYPES["lifetime"].to_numpy()[np.repeat(kind, LONGEST_SPELL)] == 0
    kept &= first_of_many | ~once
    return pd.DataFrame({"customer": customer[kept], "day": day[kept]})


def order_times(clock: np.ndarray, people: pd.DataFrame, places: np.ndarray) -> pd.DataFrame:
    """One row per order: customer, channel and second, in the order of time."""
    rng = stream("orders")
    buyers = people[people["rate"] > 0]
    won_back = buyers[buyers["won_back_day"] < DAYS]
    again = won_back.assign(first_day=won_back["won_back_day"], last_day=DAYS)
    orders = pd.concat([spells(rng, clock, buyers), spells(rng, clock, again)], ignore_index=True)
    customer = orders["customer"].to_numpy()
    orders["channel"] = pick(rng, places[customer])
    habit = traits(people["kind"].to_numpy()[customer], "hours")
    profile = np.where(orders["channel"] == STORE, "store", habit)
    usual = people["usual_hour"].to_numpy()[customer]
    orders["second"] = orders["day"] * DAY + time_of_day(rng, profile, usual)
    forgotten = orders[(rng.random(len(orders)) < 0.012) & (orders["second"] % DAY < 20 * 3600)]
    once = traits(people["kind"].to_numpy()[forgotten["customer"]], "lifetime") == 0
    forgotten = forgotten[~once]
    seconds_on_the_same_day = forgotten["second"] + rng.integers(600, 3 * 3600, len(forgotten))
    orders = pd.concat([orders, forgotten.assign(second=seconds_on_the_same_day)])
    return orders.sort_values(["second", "customer"], kind="stable", ignore_index=True)


def order_lines(
    orders: pd.DataFrame, people: pd.DataFrame, taste: np.ndarray, products: pd.DataFrame
) -> pd.DataFrame:
    """One row per product of an order: units, list price, discount and cost, all in won."""
    rng = stream("lines")
    kind = people["kind"].to_numpy()[orders["customer"]]
    count = (1 + rng.poisson(traits(kind, "lines") - 1)).clip(max=12)
    order = np.repeat(np.arange(len(orders)), count)
    customer = orders["customer"].to_numpy()[order]
    product = choose_products(rng, products, taste[customer], people["tier"].to_numpy()[customer])
    lines = pd.DataFrame({"order": order, "customer": customer, "product": product})
    lines = lines.drop_duplicates(["order", "product"], ignore_index=True)
    category = products["category"].to_numpy()[lines["product"]]
    more = traits(people["kind"].to_numpy()[lines["customer"]], "units")
    lines["quantity"] = 1 + rng.poisson(more * CATEGORIES["bulk"].to_numpy()[category])
    lines["list"] = products["price"].to_numpy()[lines["product"]] * lines["quantity"]
    percent = reductions(rng, orders, people)[lines["order"]]
    lines["discount"] = lines["list"] * percent // 100 // 100 * 100
    lines["cost"] = (lines["list"] * CATEGORIES["cost"].to_numpy()[category]).round(-2).astype(int)
    lines["return_rate"] = CATEGORIES["returned"].to_numpy()[category]
    return give_samples(rng, lines)


def reductions(rng: np.random.Generator, orders: pd.DataFrame, people: pd.DataFrame) -> np.ndarray:
    """Percent off the list price of each order; more often and deeper in November and for the keen."""
    keen = people["discount"].to_numpy()[orders["customer"]]
    month = (START + orders["day"].to_numpy()).astype("datetime64[M]").astype(int) % 12 + 1
    chance = (keen * np.where(month == 11, 1.6, 1.0)).clip(max=0.97)
    steps = np.array([5, 10, 15, 20, 30])
    drawn = (rng.random(len(orders)) * 3 + keen * 2.5).astype(int).clip(0, 4)
    return np.where(rng.random(len(orders)) < chance, steps[drawn], 0)


def give_samples(rng: np.random.Generator, lines: pd.DataFrame) -> pd.DataFrame:
    """Turn some cheap orders of one unit into free samples: all of the list price is taken off."""
    alone = ~lines["order"].duplicated(keep=False) & (lines["quantity"] == 1) & (lines["list"] < 20_000)
    samples = rng.choice(np.flatnonzero(alone), SAMPLE_ORDERS, replace=False)
    lines.loc[samples, "discount"] = lines.loc[samples, "list"]
    return lines.assign(amount=lines["list"] - lines["discount"])


def settle(orders: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """Add to each order its sums and what became of it: completed, pending, cancelled or returned."""
    rng = stream("settle")
    size = len(orders)
    is_online = (orders["channel"] != STORE).to_numpy()
    second = orders["second"].to_numpy()
    sums = lines.groupby("order")[["amount", "discount", "cost"]].sum()
    orders = pd.concat([orders, sums], axis="columns")

    status = np.where(is_online & (rng.random(size) < 0.03), CANCELLED, COMPLETED)
    status = np.where(is_online & (orders["day"] >= DAYS - 3) & (rng.random(size) < 0.7), PENDING, status)
    back = (orders["day"] + rng.integers(2, 15, size)) * DAY + rng.integers(9 * 3600, 18 * 3600, size)
    may_return = (status == COMPLETED) & (back <= LAST_SECOND) & (orders["amount"] > 0)
    line_order = lines["order"].to_numpy()
    ease = np.where(is_online, 1.1, 0.5)[line_order]
    sent_back = may_return.to_numpy()[line_order] & (rng.random(len(lines)) < ease * lines["return_rate"])
    returned = lines["amount"].where(sent_back, 0).groupby(line_order).sum().to_numpy(copy=True)
    in_full = (returned > 0) & (returned == orders["amount"])
    with_shipping = rng.choice(np.flatnonzero(in_full & is_online), REFUNDS_WITH_SHIPPING, replace=False)
    returned[with_shipping] += SHIPPING

    done = np.where(is_online, second + rng.integers(DAY, 4 * DAY, size), second)
    done = np.where(status == COMPLETED, done, second + np.where(is_online, rng.integers(60, 3600, size), 0))
    return orders.assign(
        status=np.where(in_full, RETURNED, status),
        returned=returned,
        returned_second=np.where(returned > 0, back, NEVER),
        updated=np.where(returned > 0, back, done).clip(max=LAST_SECOND),
    )


# ---------------------------------------------------------------- customers


def registrations(people: pd.DataFrame, orders: pd.DataFrame) -> np.ndarray:
    """The second in which each customer became known: before the first order, and after the start."""
    rng = stream("registrations")
    first = orders.groupby("customer")["second"].min().reindex(people.index)
    first_channel = orders.groupby("customer")["channel"].first().reindex(people.index)
    lead = rng.exponential(traits(people["kind"].to_numpy(), "known_before") * DAY) + 5400
    at_the_till = rng.integers(240, 1800, len(people))
    lead = np.where(first_channel == STORE, at_the_till, lead)
    without_order = people["first_day"] * DAY + rng.integers(7 * 3600, 23 * 3600, len(people))
    return np.where(first.isna(), without_order, first - np.minimum(lead, 0.9 * first)).astype(int)


def is_disclosed(rng: np.random.Generator, people: pd.DataFrame, ease: float) -> np.ndarray:
    """Whether each customer has stated a thing that is told with the given ease."""
    return rng.random(len(people)) < traits(people["kind"].to_numpy(), "disclosed") * ease


def profiles(people: pd.DataFrame, created: np.ndarray) -> pd.DataFrame:
    """What the customers have told of themselves; much is missing, as in life."""
    rng = stream("profiles")
    size = len(people)
    is_person = ~people["is_business"].to_numpy()
    born = LATEST - (people["age"].to_numpy() * 365.25).astype(int) - rng.integers(0, 365, size)
    gave_birth_date = is_person & is_disclosed(rng, people, 0.9)
    age_band = np.array(AGE_BANDS)[np.searchsorted([18, 25, 35, 45, 55, 65], people["age"], side="right")]
    gender = np.where(rng.random(size) < 0.01, "other", np.where(people["is_female"], "female", "male"))
    marital = np.where(people["is_married"], "married", np.where(rng.random(size) < 0.08, "other", "single"))
    household = 1 + people["is_married"] + people["children"] + (rng.random(size) < 0.15)
    means = people["tier"] * 0.7 + people["is_married"] + (people["age"] - 25) / 25 + rng.normal(0, 0.6, size)
    home = np.where(rng.random(size) < 0.01 * people["age"], "owner", "renter")
    home = np.where(rng.random(size) < 0.05, "other", home)
    employees = (4 * np.exp(rng.normal(1.2, 1.1, size))).astype(int) + 1

    is_capital_area = CITIES["region"].isin(["서울특별시", "경기도"])
    weight = CITIES["population"].to_numpy() * np.where(is_capital_area, 1.4, 1.0)
    place = pick(rng, np.broadcast_to(weight, (size, len(weight))))
    lives = is_disclosed(rng, people, 1.05)
    edited = created + (rng.random(size) ** 2 * (LAST_SECOND - created)).astype(int)

    def told(values: np.ndarray, condition: np.ndarray) -> np.ndarray:
        return np.where(condition, np.asarray(values).astype(str), "")

    return pd.DataFrame(
        {
            "created_at": timestamps(created),
            "kind": told(np.where(is_person, "person", "business"), ~is_person | (rng.random(size) < 0.97)),
            "birth_date": told(born, gave_birth_date),
            "age_band": told(age_band, is_person & ~gave_birth_date & is_disclosed(rng, people, 0.7)),
            "gender": told(gender, is_person & is_disclosed(rng, people, 1.1)),
            "marital_status": told(marital, is_person & is_disclosed(rng, people, 0.7)),
            "household_size": told(household, is_person & is_disclosed(rng, people, 0.65)),
            "children": told(people["children"], is_person & is_disclosed(rng, people, 0.65)),
            "income_band": told(
                np.array(INCOME_BANDS)[means.round().clip(0, 4).astype(int)],
                is_person & is_disclosed(rng, people, 0.5),
            ),
            "home_ownership": told(home, is_person & is_disclosed(rng, people, 0.5)),
            "industry": told(rng.choice(INDUSTRIES, size), ~is_person & is_disclosed(rng, people, 1.05)),
            "employees": told(employees, ~is_person & is_disclosed(rng, people, 0.95)),
            "country": told(np.full(size, "KR"), lives),
            "region": told(CITIES["region"].to_numpy()[place], lives),
            "city": told(CITIES.index.to_numpy()[place], lives),
            "city_population": told(CITIES["population"].to_numpy()[place], lives),
            "updated_at": timestamps(edited),
        }
    )


@dataclass(frozen=True)
class Consents:
    """When each customer (row) gave and withdrew consent for each channel (column), in seconds."""

    granted: np.ndarray
    refused: np.ndarray
    withdrawn: np.ndarray
    renewed: np.ndarray

    def holds(self, channel: str, customer: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Whether the customer may be contacted on the channel in that second."""
        column = list(CONSENTS).index(channel)
        granted, withdrawn = self.granted[customer, column], self.withdrawn[customer, column]
        return ((granted <= second) & (second < withdrawn)) | (self.renewed[customer, column] <= second)


def decide_consents(people: pd.DataFrame, created: np.ndarray, places: np.ndarray) -> Consents:
    """Consents are given or refused at registration; some are withdrawn later, a few are given again."""
    rng = stream("consents")
    shape = (len(people), len(CONSENTS))
    kind = people["kind"].to_numpy()
    chance = np.array(list(CONSENTS.values())) * traits(kind, "consents")[:, None]
    uses_app = places[:, [APP]] > 0.05
    is_business = people["is_business"].to_numpy()[:, None]
    channel = np.array(list(CONSENTS))
    chance = np.where((channel == "push") & ~uses_app, 0.0, chance)
    chance = np.where((channel == "phone") & is_business, 0.6, chance)
    chance = np.where(people["is_guest"].to_numpy()[:, None], 0.0, chance)
    drawn = rng.random(shape)
    at = created[:, None] + rng.integers(0, 120, shape)
    granted = np.where(drawn < chance, at, NEVER)
    asked = (drawn > 0.85) & (chance > 0)
    refused = np.where((granted == NEVER) & asked, at, NEVER)
    fed_up = rng.random(shape) < 0.16 + 0.18 * is_a("lapsed_loyal", kind)[:, None]
    later = granted + (rng.exponential(240, shape) * DAY).astype(int) + DAY
    withdrawn = np.where(fed_up & (later <= LAST_SECOND), later, NEVER)
    later = withdrawn + (rng.exponential(120, shape) * DAY).astype(int) + 5 * DAY
    renewed = np.where((rng.random(shape) < 0.15) & (later <= LAST_SECOND), later, NEVER)
    return Consents(granted, refused, withdrawn, renewed)


# ---------------------------------------------------------------- visits


def visits(
    clock: np.ndarray, people: pd.DataFrame, places: np.ndarray, orders: pd.DataFrame, created: np.ndarray
) -> pd.DataFrame:
    """One row per visit online: those that end in an order, and those that do not."""
    rng = stream("visits")
    kind = people["kind"].to_numpy()
    online = places[:, [WEB, APP]].sum(axis=1)
    came = np.maximum(created // DAY, EVENTS_FROM_DAY)
    stays = people["won_back_day"].to_numpy() < DAYS
    is_prospect = is_a("prospect", kind)
    leaves = np.where(stays | is_prospect, DAYS, np.minimum(people["last_day"].to_numpy() + 45, DAYS))
    months = (leaves - came).clip(min=0) / 30.4
    visiting = traits(kind, "visits") * rng.gamma(1.5, 1 / 1.5, len(people)) * online * ~people["is_guest"]
    customer = np.repeat(np.arange(len(people)), rng.poisson(visiting * months))
    began, ended = clock[kind, came][customer], clock[kind, leaves][customer]
    day = day_at(clock, kind[customer], began + rng.random(len(customer)) * (ended - began))
    profile = traits(kind[customer], "hours")
    second = day * DAY + time_of_day(rng, profile, people["usual_hour"].to_numpy()[customer])
    second = np.maximum(second, created[customer] + 30)
    channel = np.where(rng.random(len(customer)) * online[customer] < places[customer, APP], APP, WEB)
    leaves_cart = rng.random(len(customer)) < traits(kind[customer], "abandons")
    idle = pd.DataFrame(
        {
            "customer": customer,
            "channel": channel,
            "second": second,
            "order": -1,
            "carted": np.where(leaves_cart, 1 + rng.poisson(0.6, len(customer)), 0),
        }
    )
    tracked = orders[(orders["channel"] != STORE) & (orders["day"] >= EVENTS_FROM_DAY)]
    bought = tracked[["customer", "channel", "second"]].assign(order=tracked.index, carted=tracked["lines"])
    both = pd.concat([idle[idle["second"] <= LAST_SECOND], bought])
    return both.sort_values(["second", "customer"], kind="stable", ignore_index=True)


def views(
    people: pd.DataFrame,
    taste: np.ndarray,
    products: pd.DataFrame,
    sessions: pd.DataFrame,
    lines: pd.DataFrame,
) -> pd.DataFrame:
    """Products looked at in each visit: first those that were bought, then others to the customer's taste."""
    rng = stream("views")
    customer = sessions["customer"].to_numpy()
    kind = people["kind"].to_numpy()[customer]
    more = rng.poisson(traits(kind, "views"))
    more = np.where(sessions["order"] < 0, np.maximum(more, sessions["carted"]), more)
    session = np.repeat(np.arange(len(sessions)), more)
    who = customer[session]
    other = choose_products(rng, products, taste[who], people["tier"].to_numpy()[who])
    session_of_order = pd.Series(sessions.index, index=sessions["order"]).drop(-1)
    bought = lines[lines["order"].isin(session_of_order.index)]
    theirs = session_of_order.loc[bought["order"]].to_numpy()
    seen = pd.concat(
        [
            pd.DataFrame({"session": theirs, "product": bought["product"]}),
            pd.DataFrame({"session": session, "product": other}),
        ]
    )
    seen = seen.drop_duplicates().sort_values("session", kind="stable", ignore_index=True)
    return seen.assign(place=rank_within(seen["session"].to_numpy()))


def events(people: pd.DataFrame, sessions: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    """One row per event: each visit runs from visit through search, view, cart and checkout to purchase."""
    rng = stream("events")
    number = np.arange(len(sessions))
    kind = people["kind"].to_numpy()[sessions["customer"]]
    has_order = (sessions["order"] >= 0).to_numpy()
    is_carted = (seen["place"] < sessions["carted"].to_numpy()[seen["session"]]).to_numpy()
    carted = seen[is_carted]
    first = carted[carted["place"] == 0]
    is_left = ~has_order[first["session"]]
    removed = first[is_left & (rng.random(len(first)) < 0.25)]
    checked = first[~is_left | (rng.random(len(first)) < 0.3)]
    searched = np.repeat(number, rng.poisson(traits(kind, "searches")))

    def step(kind_of_step: int, session: np.ndarray, product: np.ndarray | int = -1) -> pd.DataFrame:
        return pd.DataFrame({"session": session, "step": kind_of_step, "product": product})

    log = pd.concat(
        [
            step(VISIT, number),
            step(SEARCH, searched),
            step(VIEW, seen["session"], seen["product"]),
            step(ADD_TO_CART, carted["session"], carted["product"]),
            step(REMOVE_FROM_CART, removed["session"], removed["product"]),
            step(CHECKOUT, checked["session"]),
            step(PURCHASE, first["session"][~is_left], first["product"][~is_left]),
        ],
        ignore_index=True,
    )
    log["shuffle"] = rng.random(len(log))
    log = log.sort_values(["session", "step", "shuffle"], ignore_index=True).drop(columns="shuffle")
    gap = np.where(log["step"] == VISIT, 0, rng.integers(8, 95, len(log)))
    passed = pd.Series(gap).groupby(log["session"]).cumsum().to_numpy()
    whole = pd.Series(passed).groupby(log["session"]).transform("max").to_numpy()
    given = sessions["second"].to_numpy()[log["session"]]
    start = np.where(has_order[log["session"]], given - whole, np.minimum(given, LAST_SECOND - whole))
    return log.assign(second=start + passed)


def devices(rng: np.random.Generator, people: pd.DataFrame, sessions: pd.DataFrame) -> np.ndarray:
    """The device of each visit."""
    desktop = traits(people["kind"].to_numpy()[sessions["customer"]], "desktop")
    on_web = np.where(rng.random(len(sessions)) < desktop, "desktop", "mobile")
    on_web = np.where(rng.random(len(sessions)) < 0.04, "tablet", on_web)
    in_app = np.where(rng.random(len(sessions)) < 0.06, "tablet", "mobile")
    return np.where(sessions["channel"] == WEB, on_web, in_app)


def sources(rng: np.random.Generator, sessions: pd.DataFrame, consents: Consents) -> np.ndarray:
    """What led to each visit; e-mail and push lead only those who have agreed to them."""
    is_web = (sessions["channel"] == WEB).to_numpy()[:, None]
    weights = np.where(is_web, SOURCE_WEIGHTS[WEB], SOURCE_WEIGHTS[APP])
    drawn = SOURCES[pick(rng, weights)]
    customer, second = sessions["customer"].to_numpy(), sessions["second"].to_numpy()
    for channel in ("email", "push"):
        drawn = np.where((drawn == channel) & ~consents.holds(channel, customer, second), "direct", drawn)
    return drawn


# ---------------------------------------------------------------- text


def timestamps(second: np.ndarray) -> np.ndarray:
    """Seconds since the start as text; nothing for NEVER."""
    second = np.asarray(second, dtype=np.int64)
    text = np.datetime_as_string(START.astype("datetime64[s]") + second)
    return np.where(second >= NEVER, "", np.char.replace(text, "T", " "))


def names(letter: str, numbers: np.ndarray, digits: int) -> np.ndarray:
    """Identifiers such as C0042."""
    return np.array([f"{letter}{number:0{digits}d}" for number in np.asarray(numbers).tolist()], dtype=object)


@dataclass(frozen=True)
class Shop:
    """The demo shop as text: its inputs without any flaw, and the truth behind them."""

    inputs: dict[str, pd.DataFrame]
    truth: pd.DataFrame


def make_shop() -> Shop:
    """Let the shop live through its three years."""
    clock, products = clocks(), catalogue()
    people, taste, places = population(clock)
    orders = order_times(clock, people, places)
    lines = order_lines(orders, people, taste, products)
    orders = settle(orders, lines).assign(lines=lines.groupby("order").size())
    created = registrations(people, orders)
    consents = decide_consents(people, created, places)
    sessions = visits(clock, people, places, orders, created)
    seen = views(people, taste, products, sessions, lines)
    log = events(people, sessions, seen)

    customer_id = names("C", created.argsort(kind="stable").argsort() + 1, 4)
    product_id = names("P", np.arange(len(products)) + 1, 3)
    order_id = names("O", orders.index + 1, 5)
    inputs = {
        "orders": orders_text(orders, order_id, customer_id),
        "customers": customers_text(people, created, customer_id),
        "order_items": lines_text(lines, order_id, product_id),
        "products": products_text(products, product_id),
        "events": events_text(people, sessions, log, consents, customer_id, product_id),
        "consents": consents_text(consents, customer_id),
    }
    return Shop(
        {name: frame.astype(object) for name, frame in inputs.items()},
        truth_text(people, taste, places, customer_id),
    )


def orders_text(orders: pd.DataFrame, order_id: np.ndarray, customer_id: np.ndarray) -> pd.DataFrame:
    """The input orders."""
    return pd.DataFrame(
        {
            "order_id": order_id,
            "customer_id": customer_id[orders["customer"]],
            "ordered_at": timestamps(orders["second"]),
            "amount": orders["amount"].astype(str),
            "discount_amount": orders["discount"].astype(str),
            "returned_amount": orders["returned"].astype(str),
            "returned_at": timestamps(orders["returned_second"]),
            "cost_amount": orders["cost"].astype(str),
            "status": STATUSES[orders["status"]],
            "channel": CHANNELS[orders["channel"]],
            "updated_at": timestamps(orders["updated"]),
        }
    )


def customers_text(people: pd.DataFrame, created: np.ndarray, customer_id: np.ndarray) -> pd.DataFrame:
    """The input customers: all but the guests."""
    customers = profiles(people, created)
    customers.insert(0, "customer_id", customer_id)
    return customers[~people["is_guest"]].sort_values("customer_id", ignore_index=True)


def lines_text(lines: pd.DataFrame, order_id: np.ndarray, product_id: np.ndarray) -> pd.DataFrame:
    """The input order_items."""
    return pd.DataFrame(
        {
            "order_item_id": names("I", lines.index + 1, 5),
            "order_id": order_id[lines["order"]],
            "product_id": product_id[lines["product"]],
            "quantity": lines["quantity"].astype(str),
            "amount": lines["amount"].astype(str),
            "discount_amount": lines["discount"].astype(str),
        }
    )


def products_text(products: pd.DataFrame, product_id: np.ndarray) -> pd.DataFrame:
    """The input products."""
    return pd.DataFrame(
        {
            "product_id": product_id,
            "product_name": products["product_name"],
            "category": CATEGORIES["category"].to_numpy()[products["category"]],
            "brand": products["brand"],
            "updated_at": timestamps(products["updated"]),
        }
    )


def events_text(
    people: pd.DataFrame,
    sessions: pd.DataFrame,
    log: pd.DataFrame,
    consents: Consents,
    customer_id: np.ndarray,
    product_id: np.ndarray,
) -> pd.DataFrame:
    """The input events."""
    rng = stream("devices")
    session = log["session"].to_numpy()
    return pd.DataFrame(
        {
            "event_id": names("E", log.index + 1, 6),
            "customer_id": customer_id[sessions["customer"]][session],
            "occurred_at": timestamps(log["second"]),
            "event_type": STEPS[log["step"]],
            "session_id": names("S", sessions.index + 1, 5)[session],
            "product_id": np.where(log["product"] >= 0, product_id[log["product"]], ""),
            "device": devices(rng, people, sessions)[session],
            "channel": sources(rng, sessions, consents)[session],
        }
    )


def consents_text(consents: Consents, customer_id: np.ndarray) -> pd.DataFrame:
    """The input consents, in the order of time."""
    changes = [
        (consents.granted, "true"),
        (consents.refused, "false"),
        (consents.withdrawn, "false"),
        (consents.renewed, "true"),
    ]
    parts = []
    for seconds, is_granted in changes:
        customer, channel = np.nonzero(seconds < NEVER)
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": customer_id[customer],
                    "channel": np.array(list(CONSENTS))[channel],
                    "is_granted": is_granted,
                    "changed_at": timestamps(seconds[customer, channel]),
                }
            )
        )
    return pd.concat(parts).sort_values(["changed_at", "customer_id", "channel"], ignore_index=True)


def truth_text(
    people: pd.DataFrame, taste: np.ndarray, places: np.ndarray, customer_id: np.ndarray
) -> pd.DataFrame:
    """What is really so of each customer, which the models are never told."""
    kind = people["kind"].to_numpy()
    is_buyer = people["rate"].to_numpy() > 0
    stops = traits(kind, "lifetime") > 0
    lapsed = np.where(is_buyer & stops & (people["last_day"] < DAYS), people["last_day"] * DAY, NEVER)
    won_back = np.where(people["won_back_day"] < DAYS, people["won_back_day"] * DAY, NEVER)
    return pd.DataFrame(
        {
            "customer_id": customer_id,
            "latent_type": TYPES.index.to_numpy()[kind],
            "orders_per_year": np.char.mod("%.2f", people["rate"].to_numpy()),
            "regularity": np.char.mod("%.1f", traits(kind, "regularity")),
            "lapsed_on": [text[:10] for text in timestamps(lapsed)],
            "won_back_on": [text[:10] for text in timestamps(won_back)],
            "discount_share": np.char.mod("%.2f", people["discount"].to_numpy()),
            "price_tier": people["tier"].astype(str),
            "main_category": CATEGORIES["category"].to_numpy()[taste.argmax(axis=1)],
            "main_category_share": np.char.mod("%.2f", taste.max(axis=1)),
            "main_channel": CHANNELS[places.argmax(axis=1)],
            "is_guest": np.where(people["is_guest"], "true", "false"),
        }
    ).sort_values("customer_id", ignore_index=True)


# ---------------------------------------------------------------- flaws


@dataclass(frozen=True)
class Flaw:
    """Rows that must be rejected for one reason: copies of good rows under new keys with a bad value."""

    input: str
    reason: str  # problem:column
    rows: int
    values: tuple[str, ...]  # taken in turn

    @property
    def column(self) -> str:
        """The column with the bad value."""
        return self.reason.partition(":")[2]


MOJIBAKE = tuple(word.encode().decode("latin-1") for word in ("서울", "부산", "선물세트"))
BROKEN_TEXT = ("서\ufffd울", *MOJIBAKE, "\ufffd\ufffd", "bell\x07", "esc\x1b[0m")
NO_NUMBER = ("NaN", "12,500원", "inf", "free", "-Infinity")
NO_INTEGER = ("two", "세 명")
NO_TIME = ("yesterday", "2025-13-45 10:00:00", "2025-02-30 12:00:00", "어제")
NO_DATE = ("1990-02-30", "unknown", "31.12.1985")
ANCIENT = ("1900-01-01 00:00:00", "0202-05-11 10:30:00", "1969-12-31 23:59:59")
FAR_FUTURE = ("2099-12-31 10:00:00", "2206-06-01 09:15:00", "2028-01-01 00:00:00", "9999-12-31 00:00:00")
NEGATIVE = ("-5000", "-100", "-0.01")
ABSURD = ("100000001", "999999999999", "1e12")

FLAWS = (
    Flaw("orders", "missing:customer_id", 5, ("",)),
    Flaw("orders", "missing:ordered_at", 4, ("",)),
    Flaw("orders", "missing:amount", 6, ("",)),
    Flaw("orders", "wrong_type:ordered_at", 5, NO_TIME),
    Flaw("orders", "wrong_type:amount", 7, NO_NUMBER),
    Flaw("orders", "wrong_type:discount_amount", 3, NO_NUMBER),
    Flaw("orders", "wrong_type:returned_amount", 2, NO_NUMBER),
    Flaw("orders", "wrong_type:returned_at", 3, NO_TIME),
    Flaw("orders", "wrong_type:cost_amount", 4, NO_NUMBER),
    Flaw("orders", "wrong_type:updated_at", 2, NO_TIME),
    Flaw("orders", "too_early:ordered_at", 4, ANCIENT),
    Flaw("orders", "too_early:returned_at", 2, ANCIENT),
    Flaw("orders", "after_as_of_date:ordered_at", 8, FAR_FUTURE),
    Flaw("orders", "negative:amount", 9, NEGATIVE),
    Flaw("orders", "negative:discount_amount", 3, NEGATIVE),
    Flaw("orders", "negative:returned_amount", 4, NEGATIVE),
    Flaw("orders", "negative:cost_amount", 2, NEGATIVE),
    Flaw("orders", "absurd:amount", 5, ABSURD),
    Flaw("orders", "absurd:cost_amount", 2, ABSURD),
    Flaw("orders", "unknown_value:status", 6, ("shipped", "완료", "complete?")),
    Flaw("orders", "broken_text:channel", 7, BROKEN_TEXT),
    Flaw("customers", "missing:customer_id", 4, ("",)),
    Flaw("customers", "wrong_type:created_at", 2, NO_TIME),
    Flaw("customers", "wrong_type:birth_date", 6, NO_DATE),
    Flaw("customers", "wrong_type:household_size", 3, NO_INTEGER),
    Flaw("customers", "wrong_type:city_population", 2, NO_INTEGER),
    Flaw("customers", "too_early:birth_date", 5, ("1823-04-01", "0001-01-01", "1899-12-31")),
    Flaw("customers", "too_early:created_at", 2, ANCIENT),
    Flaw("customers", "after_as_of_date:created_at", 3, FAR_FUTURE),
    Flaw("customers", "after_as_of_date:birth_date", 4, ("2099-01-01", "2085-06-30")),
    Flaw("customers", "negative:household_size", 2, ("-1",)),
    Flaw("customers", "negative:children", 3, ("-1", "-2")),
    Flaw("customers", "negative:employees", 2, ("-40",)),
    Flaw("customers", "absurd:household_size", 4, ("99", "51", "1985")),
    Flaw("customers", "absurd:employees", 2, ("50000000",)),
    Flaw("customers", "absurd:city_population", 3, ("1200000000",)),
    Flaw("customers", "unknown_value:kind", 2, ("robot",)),
    Flaw("customers", "unknown_value:age_band", 3, ("25 to 34", "thirties")),
    Flaw("customers", "unknown_value:gender", 7, ("F", "여", "n/k")),
    Flaw("customers", "unknown_value:marital_status", 3, ("it's complicated", "기혼")),
    Flaw("customers", "unknown_value:home_ownership", 2, ("tent",)),
    Flaw("customers", "broken_text:city", 6, BROKEN_TEXT),
    Flaw("customers", "broken_text:region", 3, MOJIBAKE),
    Flaw("order_items", "missing:order_id", 3, ("",)),
    Flaw("order_items", "missing:product_id", 5, ("",)),
    Flaw("order_items", "missing:amount", 4, ("",)),
    Flaw("order_items", "wrong_type:quantity", 3, NO_NUMBER),
    Flaw("order_items", "wrong_type:amount", 6, NO_NUMBER),
    Flaw("order_items", "wrong_type:discount_amount", 2, NO_NUMBER),
    Flaw("order_items", "negative:quantity", 5, ("-1", "-3")),
    Flaw("order_items", "negative:amount", 7, NEGATIVE),
    Flaw("order_items", "negative:discount_amount", 2, NEGATIVE),
    Flaw("order_items", "absurd:quantity", 3, ("5000000", "1000001")),
    Flaw("order_items", "absurd:amount", 4, ABSURD),
    Flaw("order_items", "unknown_reference:order_id", 11, ("O99999", "OX0001", "OX0002")),  # OX: rejected
    Flaw("order_items", "unknown_reference:product_id", 9, ("P999", "PX0001", "p-unknown")),
    Flaw("order_items", "broken_text:order_item_id", 2, ("I\ufffd1", "I\x072")),
    Flaw("products", "missing:product_id", 2, ("",)),
    Flaw("products", "wrong_type:updated_at", 3, NO_TIME),
    Flaw("products", "too_early:updated_at", 2, ANCIENT),
    Flaw("products", "broken_text:product_name", 6, BROKEN_TEXT),
    Flaw("products", "broken_text:category", 2, MOJIBAKE),
    Flaw("products", "broken_text:brand", 3, MOJIBAKE),
    Flaw("events", "missing:customer_id", 7, ("",)),
    Flaw("events", "missing:occurred_at", 3, ("",)),
    Flaw("events", "missing:event_type", 4, ("",)),
    Flaw("events", "wrong_type:occurred_at", 6, NO_TIME),
    Flaw("events", "too_early:occurred_at", 5, ANCIENT),
    Flaw("events", "after_as_of_date:occurred_at", 9, FAR_FUTURE),
    Flaw("events", "unknown_reference:product_id", 8, ("P999", "PX0002")),
    Flaw("events", "unknown_value:event_type", 10, ("hover", "teleport", "구매")),
    Flaw("events", "broken_text:device", 3, BROKEN_TEXT),
    Flaw("events", "broken_text:channel", 5, BROKEN_TEXT),
    Flaw("consents", "missing:customer_id", 3, ("",)),
    Flaw("consents", "missing:channel", 2, ("",)),
    Flaw("consents", "missing:is_granted", 5, ("",)),
    Flaw("consents", "missing:changed_at", 4, ("",)),
    Flaw("consents", "wrong_type:is_granted", 6, ("maybe", "ask later")),
    Flaw("consents", "wrong_type:changed_at", 3, NO_TIME),
    Flaw("consents", "too_early:changed_at", 2, ANCIENT),
    Flaw("consents", "after_as_of_date:changed_at", 7, FAR_FUTURE),
    Flaw("consents", "unknown_reference:customer_id", 8, ("C9999", "CX0001", "nobody")),
    Flaw("consents", "unknown_value:channel", 4, ("fax", "pigeon")),
)


@dataclass(frozen=True)
class Repetition:
    """Rows that repeat a key: exact copies, and older versions in which one column had another value."""

    input: str
    key: tuple[str, ...]
    copies: int
    older: int = 0
    changed: str = ""
    before: str = ""


REPETITIONS = (
    Repetition("orders", ("order_id",), copies=5, older=7, changed="status", before="pending"),
    Repetition("customers", ("customer_id",), copies=4, older=6, changed="income_band", before=""),
    Repetition("order_items", ("order_item_id",), copies=10),
    Repetition("products", ("product_id",), copies=3, older=2, changed="brand", before="이름 미정"),
    Repetition("events", ("event_id",), copies=12),
    Repetition("consents", ("customer_id", "channel", "changed_at"), copies=9),
)

# Legitimate spellings: the input, the column, the value as it is written now and then, how often.
SPELLINGS = (
    ("orders", "status", "COMPLETED", 15),
    ("orders", "status", " completed ", 9),
    ("customers", "gender", "FEMALE", 8),
    ("customers", "gender", " Male", 5),
    ("customers", "city", " 서울 ", 6),
    ("events", "event_type", "VIEW", 12),
    ("events", "event_type", " add_to_cart", 7),
    ("consents", "channel", "Email ", 10),
)


def new_keys(rows: pd.DataFrame, name: str, first: int) -> pd.DataFrame:
    """The rows under keys that no good row has: with an X, or for consents a moment of their own."""
    numbers = np.arange(first, first + len(rows))
    if name == "consents":
        return rows.assign(changed_at=timestamps((DAYS - 90) * DAY + 7 * numbers))
    key = rows.columns[0]
    return rows.assign(**{key: names(rows[key].iloc[0][0] + "X", numbers, 4)})


def bad_rows(name: str, good: pd.DataFrame) -> pd.DataFrame:
    """Rows of an input that must be rejected, each for one reason of FLAWS."""
    rng = stream(f"flaws {name}")
    sound = good[good["status"].eq("completed") & good["returned_at"].eq("")] if name == "orders" else good
    parts = []
    first = 1
    for flaw in (flaw for flaw in FLAWS if flaw.input == name):
        rows = new_keys(sound.iloc[rng.choice(len(sound), flaw.rows, replace=False)], name, first)
        parts.append(rows.assign(**{flaw.column: np.resize(np.array(flaw.values, dtype=object), flaw.rows)}))
        first += flaw.rows
    return pd.concat(parts, ignore_index=True)


def repeated_rows(repetition: Repetition, good: pd.DataFrame) -> pd.DataFrame:
    """Copies and older versions of good rows; the older ones were written an hour earlier."""
    rng = stream(f"repetitions {repetition.input}")
    copies = good.iloc[rng.choice(len(good), repetition.copies, replace=False)]
    if not repetition.older:
        return copies
    outdated = good[~good.index.isin(copies.index) & good[repetition.changed].ne(repetition.before)]
    if repetition.input == "orders":
        outdated = outdated[outdated["status"].eq("completed") & outdated["channel"].ne("store")]
    older = outdated.iloc[rng.choice(len(outdated), repetition.older, replace=False)]
    hour_before = older["updated_at"].to_numpy(dtype="datetime64[s]") - np.timedelta64(1, "h")
    older = older.assign(
        **{repetition.changed: repetition.before},
        updated_at=np.char.replace(np.datetime_as_string(hour_before), "T", " "),
    )
    return pd.concat([copies, older])


def respell(name: str, good: pd.DataFrame) -> pd.DataFrame:
    """Write some values in capitals or with spaces around them, which must not matter."""
    rng = stream(f"spellings {name}")
    good = good.copy()
    for _, column, spelling, rows in (spelling for spelling in SPELLINGS if spelling[0] == name):
        same = np.flatnonzero(good[column] == spelling.strip().lower())
        good.loc[rng.choice(same, rows, replace=False), column] = spelling
    return good


def mix(name: str, good: pd.DataFrame) -> pd.DataFrame:
    """The input as delivered: good rows in their order, bad rows somewhere among them."""
    repetition = next(repetition for repetition in REPETITIONS if repetition.input == name)
    bad = pd.concat([bad_rows(name, good), repeated_rows(repetition, good)])
    place = np.r_[np.arange(len(good)), stream(f"places {name}").integers(0, len(good), len(bad))]
    return pd.concat([respell(name, good), bad]).iloc[place.argsort(kind="stable")].reset_index(drop=True)


def expected_rejections() -> pd.DataFrame:
    """How many rows of each input must be rejected for which reason."""
    rows = [(flaw.input, flaw.reason, flaw.rows) for flaw in FLAWS]
    for each in REPETITIONS:
        rows.append((each.input, "duplicate:" + "+".join(each.key), each.copies + each.older))
    return pd.DataFrame(rows, columns=["input", "reason", "rows"]).sort_values(
        ["input", "reason"], ignore_index=True
    )


# ---------------------------------------------------------------- files


def pack(frame: pd.DataFrame) -> bytes:
    """A frame as compressed CSV, without the time and the file name that gzip would add."""
    text = frame.to_csv(index=False, lineterminator="\n").encode()
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as packed:
        packed.write(text)
    return buffer.getvalue()


def make_files(shop: Shop) -> dict[str, bytes]:
    """The files of the demo shop by name."""
    files = {f"{name}.csv.gz": pack(mix(name, good)) for name, good in shop.inputs.items()}
    files["truth.csv.gz"] = pack(shop.truth)
    files["expected_rejections.csv"] = expected_rejections().to_csv(index=False, lineterminator="\n").encode()
    return files


def summary(shop: Shop) -> str:
    """The business in a few figures, from the good rows; cancelled and returned orders do not count."""
    orders = shop.inputs["orders"].merge(shop.truth, on="customer_id")
    orders = orders[orders["status"].isin(["completed", "pending"])]
    orders = orders.assign(revenue=orders["amount"].astype(int) - orders["returned_amount"].astype(int))
    spend = orders.groupby("customer_id")["revenue"].sum().sort_values(ascending=False)
    frequency = orders.groupby("customer_id").size()
    persons = orders[orders["latent_type"] != "business"]
    yearly = orders.groupby(orders["ordered_at"].str[:4])["revenue"].sum()
    by_type = (
        pd.DataFrame(
            {
                "customers": shop.truth.groupby("latent_type").size(),
                "orders": orders.groupby("latent_type").size(),
                "revenue_m": orders.groupby("latent_type")["revenue"].sum() / 1e6,
                "order_value_k": orders.groupby("latent_type")["revenue"].mean() / 1e3,
            }
        )
        .fillna(0)
        .round(1)
        .astype({"orders": int})
        .sort_values("revenue_m", ascending=False)
    )
    facts = [("rows of " + name, f"{len(frame):,}") for name, frame in shop.inputs.items()]
    facts += [
        ("customers with an order", f"{len(spend):,}"),
        *((f"revenue {year}, million won", f"{won / 1e6:,.1f}") for year, won in yearly.items()),
        ("order value of persons, won", f"{persons['revenue'].mean():,.0f}"),
        ("median order value of persons, won", f"{persons['revenue'].median():,.0f}"),
        ("median orders of a customer", f"{frequency.median():.0f}"),
        ("repeat rate", f"{(frequency > 1).mean():.1%}"),
        ("share of the top 20% in revenue", f"{spend.head(len(spend) // 5).sum() / spend.sum():.1%}"),
        ("share of orders with a discount", f"{orders['discount_amount'].ne('0').mean():.1%}"),
        ("cost against revenue", f"{orders['cost_amount'].astype(int).sum() / orders['revenue'].sum():.1%}"),
    ]
    width = max(len(name) for name, _ in facts)
    return "\n".join([*(f"{name:<{width}}  {value:>12}" for name, value in facts), "", by_type.to_string()])


@click.command()
@click.option(
    "--out",
    default="seeds/demo",
    show_default=True,
    help="Folder that the files are written to.",
    type=click.Path(file_okay=False, path_type=Path),
)
def main(out: Path) -> None:
    """Make the demo shop anew; the files are the same at every run."""
    shop = make_shop()
    files = make_files(shop)
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (out / name).write_bytes(content)
    click.echo(summary(shop))
    click.echo(f"\n{len(files)} files, {sum(map(len, files.values())) / 1e6:.2f} MB, in {out}")


if __name__ == "__main__":
    main()
