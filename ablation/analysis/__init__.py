"""Results table -> effects -> findings. The only folder that knows pandas and scipy.

`results` and `csv_table` make the table, `analyse` turns it into an `Analysis`, `writing` writes that down, and `power`
tells beforehand what a plan can see.
"""
