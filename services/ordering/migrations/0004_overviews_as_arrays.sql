-- An overview is kept without the names of its fields, which were more than half of it.
update overviews set body = convert_to(json_build_array(
    whole->'practice',
    whole->'version',
    (
        select coalesce(json_agg(json_build_array(
            entry->'prk', entry->'status', entry->'dosage', entry->'quantity', entry->'high_risk',
            entry->'repeat_service'
        ) order by place), '[]')
        from json_array_elements(whole->'medications') with ordinality as e(entry, place)
    )
)::text, 'UTF8')
from (select patient as of_patient, convert_from(body, 'UTF8')::json as whole from overviews) as w
where patient = of_patient;
