-- works with: 9
-- Videos have lists of their own: among many pictures a page of them is found as quickly as any.
CREATE INDEX generation_film ON generation (account_id, created, seq) WHERE kind = 'video' AND deleted IS NULL;
