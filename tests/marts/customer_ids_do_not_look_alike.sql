{{ config(severity='warn') }}

-- ids that differ only in leading zeros, capitals or letters of another script: is it one customer?
with

plain as (
    select
        customer_id,
        -- translating takes long, and few ids have letters of another script
        lower(case when {{ matches('customer_id', '[^ -~]') }} then translate(
            customer_id,
            '０１２３４５６７８９АВЕКМНОРСТХаеорсухΑΒΕΖΗΙΚΜΝΟΡΤΥΧοＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ',
            '0123456789ABEKMHOPCTXaeopcyxABEZHIKMNOPTYXoABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
        ) else customer_id end) as plain_id
    from {{ ref('known_customers') }}
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
