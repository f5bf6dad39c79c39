-- One row per flight with a known outcome: what was known three hours before it was due to leave, and whether it
-- arrived late. Departure delay, actual times, air time and the weather at departure are known too late and stay out.
-- `queue` says how departures from the same airport ran five hours before: those flights were due at least an hour
-- before the prediction is made, so whether they left within an hour is known by then, and no more than that is used.
with queues as (
    select origin, time_hour, avg(least(coalesce(dep_delay, 60), 60)) as queue
    from flights
    group by origin, time_hour
)
select
    concat_ws(
        '-', f.carrier, f.flight, f.origin, strftime(make_timestamp(f.year, f.month, f.day, 0, 0, 0), '%Y%m%d'), f.sched_dep_time
    ) as flight_id,
    make_timestamp(f.year, f.month, f.day, f.hour, f.minute, 0) as scheduled_departure,
    f.carrier,
    f.origin,
    f.dest,
    f.tailnum,
    f.distance,
    (f.sched_arr_time // 100) * 60 + f.sched_arr_time % 100 as arrival_minute,
    count(*) over (partition by f.origin, f.time_hour) as departures_that_hour,
    q.queue,
    w.humid,
    w.wind_speed,
    w.precip,
    w.visib,
    p.year as plane_built,
    p.seats as plane_seats,
    cast(f.arr_delay > 15 as integer) as late
from flights f
left join weather w
    on w.origin = f.origin and w.time_hour = f.time_hour - interval 3 hour
left join queues q
    on q.origin = f.origin and q.time_hour = f.time_hour - interval 5 hour
left join planes p
    on p.tailnum = f.tailnum
where f.arr_delay is not null
  and make_timestamp(f.year, f.month, f.day, f.hour, f.minute, 0) >= :since
  and make_timestamp(f.year, f.month, f.day, f.hour, f.minute, 0) < :until
order by scheduled_departure, flight_id
