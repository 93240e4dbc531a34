"""Lifetime value: how often customers will buy again, and what they spend when they do.

`bg_nbd` and `pareto_nbd` say how many purchases are to come, and have the same functions; `gamma_gamma`
says what a purchase is worth; `table` fits them for the project's fit dates. A customer is a state: the
number of repeat purchases, the time of the last one and the time observed, both counted from the first
purchase. States that several customers share stand once, with a weight, so a fit costs the same for ten
thousand or ten million customers. Any unit of time will do if it is the same everywhere; the project counts
in weeks.
"""
