"""The page on which the reader of a reminder asks for no more of them.

A mail program posts to it by itself, without a cookie, when its reader clicks “unsubscribe”. Following the link with
GET changes nothing. Source: https://www.rfc-editor.org/rfc/rfc8058
"""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from billing import errors
from billing.outbox import suppression
from billing.pages.layout import link_not_valid, page, said

SAYS = (
    "You then get no more reminders that a trial ends or a card expires. You still get receipts, and e-mails about "
    "payments and your access. · Ya no recibirá recordatorios de que un período de prueba termina o una tarjeta vence. "
    "Le seguirán llegando los recibos y los mensajes sobre sus pagos y su acceso."
)


@csrf_exempt  # the signed link is the permission, and all that it permits is to get fewer e-mails
@never_cache
def stop_mail(request: HttpRequest) -> HttpResponse:
    """Ask whether to stop reminders, and stop them with POST."""
    link = request.GET.get("link", "")
    try:
        if request.method == "POST":
            suppression.stop_by(link)
            return said(request, "No more reminders · No habrá más recordatorios")
        suppression.open_by(link)
    except errors.LinkNotValid as error:
        return link_not_valid(request, error)
    return page(
        request,
        forms.Form(),
        title="No more reminders? · ¿Dejar de recibir recordatorios?",
        says=SAYS,
        button="Turn them off · Desactivarlos",
    )
