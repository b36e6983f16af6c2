-- `revocations_swept`: revocations that end before this time (microseconds since 1970) may have been deleted, as they were over;
-- those that end later are there. In a directory of an earlier release nobody knows of those that are not younger than all that
-- was revoked.
INSERT INTO counters (name, amount)
SELECT 'revocations_swept', COALESCE(MAX(t.at), 0) + 86400000000
FROM (
  SELECT ended_at AS at FROM sessions
  UNION ALL SELECT revoked_at AS at FROM secrets
  UNION ALL SELECT tokens_from AS at FROM accounts
) t;
