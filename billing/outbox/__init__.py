"""The outbox: e-mails are rows, committed with their cause, and a worker sends each of them.

``Notification.objects.put`` writes a row. ``kinds`` says what each kind of e-mail says, ``delivery`` hands it to the
mail server, and ``keeping`` sends again what was given up, and deletes what is old.
"""
