-- The files of each policy that was loaded, so that what was decided under it can be understood later. Two policies
-- that have a file in common share its content.

create table policy_content (
  digest text primary key,
  content bytea not null
);
create table policy_file (
  policy_digest text not null,
  name text not null check (name <> ''),
  content_digest text not null references policy_content (digest),
  primary key (policy_digest, name)
);
grant select, insert on policy_content, policy_file to assent_app;
