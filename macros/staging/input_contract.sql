{#-
  The input contract: every column that the project knows, in one place.

  type        string, decimal (18 digits, 4 of them after the point: sums are exact), integer, boolean, date, timestamp
  required    the input can't be used without this column, nor a row without a value in it
  default     what an empty value means where the column is there (an absent column stays unknown)
  values      the only values accepted (compared in lower case)
  max         larger numbers are taken for typing errors; `max_amount` is the variable of that name
  earliest    dates before it are impossible (1970-01-01 unless given here)
  rare        most rows have no value by nature, so an empty one is no gap
  known_later the value may lie after the as-of date: it is then not known yet
  references  the input whose key the value must be found in
  key         what identifies a row; rows that repeat it are duplicates
  versions    columns that say since when a row holds. The first of them that is there is part of the key: several
              rows of one thing are then its versions
  may_be_empty  the column is required, but not a value in every row
  own         the column is an attribute that only this company has: of numbers, any is accepted
  line        the column is only there where each row of `orders` is a line (`grain: line` in the variable `inputs`);
              `key_of_lines` is then the key

  docs/input_contract.md is written from here by `segmentation contract`, and a test compares the two.
-#}
{% macro input_contract() %}
{%- set kept = graph.setdefault('contract_of_lines' if rows_are_lines() else 'contract', {}) -%}
{%- if kept -%}{{ return(kept) }}{%- endif -%}
{%- set contract -%}
orders:
  description: "One row per order, as last delivered; with `grain: line`, one row per line of an order."
  key: [order_id]
  key_of_lines: [order_item_id]
  columns:
    order_id: {type: string, description: "Identifies the order. Without it every row is an order of its own; lines need it."}
    customer_id: {type: string, required: true, may_be_empty: true, description: "Who ordered. Orders of nobody known count as revenue, and nowhere else."}
    ordered_at: {type: timestamp, required: true, description: "When, in local time of the shop (`time_zone`)."}
    amount: {type: decimal, required: true, max: max_amount, description: "What the customer paid for the goods: after discounts, before returns, in `currency`. Of lines `quantity` × `unit_price` will do."}
    discount_amount: {type: decimal, default: 0, max: max_amount, description: "Taken off the list price, in `currency`; already out of `amount`."}
    returned_amount: {type: decimal, default: 0, max: max_amount, description: "Paid back for returned goods, in `currency`."}
    returned_at: {type: timestamp, known_later: true, rare: true, description: "When it was paid back. Without it a return counts from the day of the order."}
    cost_amount: {type: decimal, max: max_amount, description: "Cost of the goods, in `currency`. Without it margin is unknown."}
    status: {type: string, default: completed, values: [completed, pending, cancelled, returned], description: "Cancelled and returned orders do not count."}
    channel: {type: string, description: "Where the order was placed: store, web, app, marketplace …"}
    updated_at: {type: timestamp, known_later: true, description: "When the row last changed. Of two rows with one key, the later one is kept."}
    order_item_id: {type: string, line: true, description: "Identifies the line. Without it every row is a line of its own."}
    product_id: {type: string, line: true, description: "The product. A line without one, such as shipping, counts in its order alone."}
    quantity: {type: decimal, line: true, default: 1, max: 1000000, description: "Units, or kilograms, or metres."}
    unit_price: {type: decimal, line: true, max: max_amount, description: "Price of one unit after discounts, in `currency`, where there is no `amount` of the line."}
    product_name: {type: string, line: true, description: "What the product is called."}
    category: {type: string, line: true, description: "Category of the product, where there is no input `products`."}
    brand: {type: string, line: true, description: "Brand of the product, where there is no input `products`."}
returns:
  description: One row per return or credit note, several to an order if need be. Its order need not be there.
  key: [return_id]
  columns:
    return_id: {type: string, description: "Identifies the return. Without it every row is a return of its own."}
    order_id: {type: string, description: "The order that it takes back, in whole or in part."}
    customer_id: {type: string, description: "Whose it is, where the order doesn't say it."}
    product_id: {type: string, description: "The product that came back."}
    returned_at: {type: timestamp, required: true, known_later: true, description: "When it was paid back, in local time of the shop (`time_zone`)."}
    amount: {type: decimal, required: true, max: max_amount, description: "What was paid back, in `currency`."}
customers:
  description: One row per customer, or per version of a customer if rows say since when they hold. Customers that only appear in `orders` are customers too.
  key: [customer_id]
  versions: [valid_from, updated_at]
  columns:
    customer_id: {type: string, required: true, description: "Identifies the customer; the same as in `orders`."}
    created_at: {type: timestamp, description: "When the customer became known. Without it: at the first order or event, or at the latest date."}
    kind: {type: string, values: [person, business], description: "A person or a business."}
    birth_date: {type: date, earliest: "1900-01-01", description: "Date of birth; age is computed as of each date."}
    age_band: {type: string, values: [under 18, 18-24, 25-34, 35-44, 45-54, 55-64, 65+], description: "Age band, where no date of birth is known."}
    gender: {type: string, values: [female, male, other], description: "Gender as stated by the customer."}
    marital_status: {type: string, values: [single, married, other], description: "Marital status."}
    household_size: {type: integer, max: 50, description: "Persons in the household."}
    children: {type: integer, max: 50, description: "Children in the household."}
    income_band: {type: string, description: "Income band, in words of your own that sort well."}
    home_ownership: {type: string, values: [owner, renter, other], description: "Owner or renter."}
    industry: {type: string, rare: true, description: "Industry of a business."}
    employees: {type: integer, rare: true, max: 10000000, description: "Employees of a business."}
    country: {type: string, description: "Country, ISO 3166-1 alpha-2 by choice."}
    region: {type: string, description: "State, province or region."}
    city: {type: string, description: "City or municipality."}
    city_population: {type: integer, max: 100000000, description: "Inhabitants of the city; gives `city_size`."}
    valid_from: {type: timestamp, earliest: "0001-01-01", known_later: true, description: "Since when the row holds: all rows of a customer are then the customer's history. Without it history begins with the first build."}
    updated_at: {type: timestamp, known_later: true, description: "When the row last changed. Without `valid_from`, rows of a customer that differ in it are versions."}
order_items:
  description: One row per product of an order.
  key: [order_item_id]
  columns:
    order_item_id: {type: string, description: "Identifies the line. Without it every row is a line of its own."}
    order_id: {type: string, required: true, references: orders, description: "The order."}
    product_id: {type: string, required: true, references: products, description: "The product."}
    quantity: {type: decimal, default: 1, max: 1000000, description: "Units, or kilograms, or metres."}
    amount: {type: decimal, required: true, max: max_amount, description: "What was paid for the line: after discounts, in `currency`."}
    discount_amount: {type: decimal, default: 0, max: max_amount, description: "Taken off the line's list price, in `currency`."}
products:
  description: One row per product, as last delivered.
  key: [product_id]
  columns:
    product_id: {type: string, required: true, description: "Identifies the product; the same as in `order_items` and `events`."}
    product_name: {type: string, description: "What it is called."}
    category: {type: string, description: "Category, at the level at which you speak of customers' tastes (ten to fifty of them)."}
    brand: {type: string, description: "Brand."}
    updated_at: {type: timestamp, known_later: true, description: "When the row last changed. Of two rows with one key, the later one is kept."}
events:
  description: One row per event of an identified customer in the web shop or the app.
  key: [event_id]
  columns:
    event_id: {type: string, description: "Identifies the event. Without it every row is an event of its own."}
    customer_id: {type: string, required: true, description: "Who did it. Leave events of unknown visitors out with `where`."}
    occurred_at: {type: timestamp, required: true, description: "When, in local time of the shop (`time_zone`)."}
    event_type: {type: string, required: true, values: [visit, view, search, add_to_cart, remove_from_cart, checkout, purchase], description: "What was done."}
    session_id: {type: string, description: "The visit. Without it the events of a customer on one day are one visit."}
    product_id: {type: string, references: products, description: "The product that was viewed, put into the cart or bought."}
    device: {type: string, description: "Device: desktop, mobile, tablet …"}
    channel: {type: string, description: "What led to the visit: direct, search, email, social …"}
consents:
  description: One row per change of a customer's consent to be contacted on a channel.
  key: [customer_id, channel, changed_at]
  columns:
    customer_id: {type: string, required: true, references: customers, description: "Who gave or withdrew it."}
    channel: {type: string, required: true, values: [email, sms, push, messenger, phone, post], description: "The channel."}
    is_granted: {type: boolean, required: true, description: "Given (true) or withdrawn (false)."}
    changed_at: {type: timestamp, required: true, description: "When, in local time of the shop (`time_zone`)."}
{%- endset -%}
{%- do kept.update(fromyaml(contract)) -%}
{%- set orders = kept.orders -%}
{%- if rows_are_lines() -%}
    {%- do orders['columns'].order_id.update({'required': true}) -%}
    {%- do orders['columns'].amount.update({'instead': 'unit_price'}) -%}
    {%- do orders.update({'key': orders.key_of_lines}) -%}
{%- else -%}
    {%- for name, column in orders['columns'].copy().items() if column.line -%}{%- do orders['columns'].pop(name) -%}{%- endfor -%}
{%- endif -%}
{%- for name, column in own_attributes().items() -%}{%- do kept.customers['columns'].setdefault(name, column) -%}{%- endfor -%}
{{ return(kept) }}
{% endmacro %}

{#- {name: column} of attributes of customers that only this company has: the variable inputs.customers.attributes. -#}
{% macro own_attributes() %}
    {%- set types = {'text': 'string', 'number': 'decimal', 'integer': 'integer', 'boolean': 'boolean', 'date': 'date'} -%}
    {%- set columns = {} -%}
    {%- for name, type in (((var('inputs') or {}).customers or {}).attributes or {}).items() -%}
        {%- do columns.update({name: {'type': types.get(type, 'string'), 'own': true}}) -%}
    {%- endfor -%}
    {{ return(columns) }}
{% endmacro %}

{#- Whether a row of the input `orders` is a line of an order. -#}
{% macro rows_are_lines() %}{{ return(((var('inputs') or {}).orders or {}).grain == 'line') }}{% endmacro %}

{#- Which rows of `orders` take back what was ordered: `negative`, or a condition over the source; none if nobody says so. -#}
{% macro rows_that_return() %}{{ return(((var('inputs') or {}).orders or {}).returns) }}{% endmacro %}
