{{ config(materialized='incremental', incremental_strategy='append') }}
{{ delivered('evn_*.csv', 'bill') }}
