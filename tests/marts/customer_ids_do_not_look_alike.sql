{{ config(severity='warn') }}

-- ids that differ only in leading zeros, capitals or letters of another script: is it one customer?
with

ids as (
    select customer_id from {{ ref('stg_orders') }}
    union
    select customer_id from {{ ref('stg_customers') }}
    union
    select customer_id from {{ ref('stg_events') }}
),

plain as (
    select
        customer_id,
        lower(translate(
            customer_id,
            '０１２３４５６７８９АВЕКМНОРСТХаеорсухΑΒΕΖΗΙΚΜΝΟΡΤΥΧοＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ',
            '0123456789ABEKMHOPCTXaeopcyxABEZHIKMNOPTYXoABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
        )) as plain_id
    from ids
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
