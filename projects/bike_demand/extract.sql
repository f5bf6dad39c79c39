-- One row per hour that the source has: what the calendar says, the weather of three hours before, and how many bikes
-- were rented. The weather of the hour itself and its riders by kind (`casual`, `registered`) are known too late.
-- The source counts days of 2011 from 1 and hours by the clock of Washington. Three hours before are counted in true
-- time: on the night of 13 March, when the clock skips two, four o'clock looks back to midnight. Where the source lacks
-- the hour of three hours before, nothing is known of the weather.
with hours as (
    select *, make_timestamp(2011, 1, 1, hr::integer, 0, 0) + to_days(day::integer - 1) as hour
    from bikes
)
select
    strftime(h.hour, '%Y%m%d-%H') as hour_id,
    h.hour,
    case when h.holiday = 1 then 'holiday' when h.workingday = 1 then 'working day' else 'weekend' end as day,
    w.weathersit as weather,
    w.temp as temperature,
    w.hum as humidity,
    w.windspeed,
    h.bikers as rentals
from hours h
left join hours w
    on timezone('America/New_York', w.hour) = timezone('America/New_York', h.hour) - interval 3 hour
where h.hour >= :since
  and h.hour < :until
order by hour
