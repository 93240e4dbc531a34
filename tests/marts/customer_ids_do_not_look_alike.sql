{{ config(severity='warn') }}

-- ids that differ only in leading zeros, capitals or letters of another script: is it one customer?
with

-- translating takes long, and few ids have letters of another script
plain as (
    select
        customer_id,
        lower(customer_id) as plain_id
    from {{ ref('known_customers') }}
    where not {{ matches('customer_id', '[^ -~]') }}
    union all
    select
        customer_id,
        lower(translate(
            customer_id,
            '０１２３４５６７８９АВЕКМНОРСТХаеорсухΑΒΕΖΗΙΚΜΝΟΡΤΥΧοＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ',
            '0123456789ABEKMHOPCTXaeopcyxABEZHIKMNOPTYXoABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
        )) as plain_id
    from {{ ref('known_customers') }}
    where {{ matches('customer_id', '[^ -~]') }}
),

looks as (
    select
        customer_id,
        case when {{ matches('plain_id', '^[0-9]+$') }} then ltrim(plain_id, '0') else plain_id end as look
    from plain
)

select
    look,
    count(*) as customers,
    min(customer_id) as one,
    max(customer_id) as another
from looks
group by look
having count(*) > 1
