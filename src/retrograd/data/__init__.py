from retrograd.data.read import read_table
