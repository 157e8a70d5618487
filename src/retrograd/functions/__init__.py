"""What users call, by family: the only floor that promotes dtypes and broadcasts shapes."""
