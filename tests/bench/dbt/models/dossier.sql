{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='MaHoSo') }}
{{ delivered('td_*.csv', 'dossier', times='%Y%m%d%H%M%S') }}
