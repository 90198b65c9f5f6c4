SELECT * FROM read_csv('{{ var("lookups") }}/period.csv', header = true, all_varchar = false)
