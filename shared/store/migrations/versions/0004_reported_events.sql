-- Uncertain and skipped sends are reported too: `REPORTED` in shared/domain/webhook_body.py.
update endpoints
set event_types = '{message.sent,message.attempt_failed,message.uncertain,message.skipped,message.failed}'
where source = 'configuration';
