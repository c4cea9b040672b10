-- What figures are counted from, without reading whole rows: decisions and reviews hold much that nobody counts.

create index decision_counted on decision (decided_at)
  include (use_case_id, review_id, lane_id, route, outcome, sampled);
create index review_submitted on review (id) include (opened_at);
create index review_withdrawn on review (closed_at) include (use_case_id) where outcome = 'withdrawn';
