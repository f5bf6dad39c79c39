-- One row per flight, none left out, with the weather of three hours before and the plane where they are known.
with hours as (
    select origin, time_hour, max(temp) as temp, max(dewp) as dewp, max(humid) as humid, max(wind_dir) as wind_dir,
        max(wind_speed) as wind_speed, max(wind_gust) as wind_gust, max(precip) as precip, max(pressure) as pressure,
        max(visib) as visib
    from weather
    group by origin, time_hour
)
select
    make_timestamp(f.year, f.month, f.day, f.hour, f.minute, 0) as scheduled_departure,
    f.month, f.day, f.sched_dep_time, f.sched_arr_time, f.carrier, f.flight, f.tailnum, f.origin, f.dest, f.distance,
    f.hour, f.minute, dayofweek(make_timestamp(f.year, f.month, f.day, 0, 0, 0)) as weekday,
    h.temp, h.dewp, h.humid, h.wind_dir, h.wind_speed, h.wind_gust, h.precip, h.pressure, h.visib,
    p.year as plane_built, p.type as plane_type, p.manufacturer, p.model as plane_model, p.engines, p.seats,
    cast(coalesce(f.arr_delay > 15, true) as integer) as disrupted
from flights f
left join hours h
    on h.origin = f.origin and h.time_hour = f.time_hour - interval 3 hour
left join planes p
    on p.tailnum = f.tailnum
order by scheduled_departure, f.carrier, f.flight, f.origin, f.dest
