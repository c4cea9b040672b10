-- What was told is removed after a while: it is in the log all the same.
grant delete on outbox, delivery, delivery_attempt to assent_app;
create index delivery_done on delivery (done_at, id) where done_at is not null;
