"""A Spark job, run as a process: raw retail lines become a wide and a long drop, as Spark itself writes them.

Usage: python spark_retail.py LINES.parquet WIDE_FOLDER LONG_FOLDER [CUSTOMERS], all customers if not given.

One row per customer, one zero-filled count column per article bought before the cut-off; `active` is 1 when the
customer buys again in the 90 days after it. The long drop says the same: one row per customer, article, count, and the
label as one more feature.
"""

import sys

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sql

DAYS = 90


def main(lines: str, wide: str, long: str, customers: int = 0) -> None:
    """Write both drops."""
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.caseSensitive", "true")  # articles 85123A and 85123a are two
        .config("spark.sql.shuffle.partitions", "3")
        .config("spark.driver.memory", "3g")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.codegen.wholeStage", "false")
        .getOrCreate()
    )
    counts, labels = features(spark.read.parquet(lines), customers)
    counts.persist()
    labels.persist()
    pivot = counts.groupBy("user_id").pivot("feature").sum("value").na.fill(0)
    labels.join(pivot, "user_id", "left").na.fill(0).repartition(3).write.parquet(wide)
    label_rows = labels.select(
        "user_id", sql.lit("active").alias("feature"), sql.col("active").cast("long").alias("value")
    )
    counts.unionByName(label_rows).repartition(2).write.parquet(long)
    spark.stop()


def features(lines: DataFrame, customers: int) -> tuple[DataFrame, DataFrame]:
    """Counts (user_id, feature, value) before the cut-off, and labels (user_id, active) after it."""
    sold = lines.where("CustomerID is not null and Quantity > 0")
    lines = sold.withColumn("user_id", sql.col("CustomerID").cast("long"))
    last = lines.agg(sql.max("InvoiceDate")).first()[0]
    cut = sql.lit(last) - sql.expr(f"interval {DAYS} days")
    before, after = lines.where(sql.col("InvoiceDate") < cut), lines.where(sql.col("InvoiceDate") >= cut)
    chosen = before.select("user_id").distinct()
    if customers:
        chosen = chosen.orderBy("user_id").limit(customers)
    active = after.select("user_id").distinct().withColumn("active", sql.lit(1))
    labels = chosen.join(active, "user_id", "left").na.fill(0)
    named = before.join(chosen, "user_id").withColumn("feature", sql.concat(sql.lit("item_"), sql.col("StockCode")))
    return named.groupBy("user_id", "feature").agg(sql.count("*").alias("value")), labels


if __name__ == "__main__":
    main(*sys.argv[1:4], *(int(n) for n in sys.argv[4:]))
