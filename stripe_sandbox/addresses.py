"""The addresses of the sandbox's own pages. They replace the pages that Stripe hosts."""


def authenticate_url(base: str, intent_id: str) -> str:
    """Return the page on which a cardholder passes or fails 3-D Secure for a payment or setup intent."""
    return f"{base}/authenticate/{intent_id}"


def verify_url(base: str, intent_id: str) -> str:
    """Return the page on which the owner of a bank account enters what a small deposit said."""
    return f"{base}/verify/{intent_id}"


def pay_url(base: str, session_id: str) -> str:
    """Return the page of a checkout session."""
    return f"{base}/pay/{session_id}"


def portal_url(base: str, session_id: str) -> str:
    """Return the page of a billing portal session."""
    return f"{base}/portal/{session_id}"


def invoice_url(base: str, invoice_id: str) -> str:
    """Return the page of an invoice. It is the invoice's ``hosted_invoice_url``."""
    return f"{base}/invoices/{invoice_id}"


def invoice_pdf(base: str, invoice_id: str) -> str:
    """Return the address of the invoice as a PDF."""
    return f"{base}/invoices/{invoice_id}.pdf"


def credit_note_pdf(base: str, note_id: str) -> str:
    """Return the address of the credit note as a PDF."""
    return f"{base}/credit_notes/{note_id}.pdf"
