from customer_segmentation.evaluation.evaluate import TYPES, evaluate


def model(dbt, session):
    dbt.config(materialized="table")
    return evaluate(dbt.ref("evaluation_holdout").df()).astype(TYPES)
