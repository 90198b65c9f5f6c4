{{ config(materialized='incremental', incremental_strategy='append') }}
{{ delivered('ecpay_*.csv', 'payment') }}
