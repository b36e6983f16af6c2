-- Counters of legal entities that never issued anything: each time that the setting changed before the first sale, those of the
-- former entity stayed behind. Those of the present one are begun when the role starts.
DELETE FROM invoice_counters WHERE next = 1 AND legal_entity NOT IN (SELECT legal_entity FROM invoices);
