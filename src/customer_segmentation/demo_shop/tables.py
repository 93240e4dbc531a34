"""The demo shop in tables: its span of time, its types of customers, its goods, cities and words."""

import io

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
