"""Where the sandbox's own pages are, in the place of those that Stripe hosts."""


def authenticate_url(base: str, intent_id: str) -> str:
    """The page on which a card's owner passes or fails 3-D Secure of a payment or setup intent."""
    return f"{base}/authenticate/{intent_id}"


def pay_url(base: str, session_id: str) -> str:
    """The page of a checkout session."""
    return f"{base}/pay/{session_id}"


def portal_url(base: str, session_id: str) -> str:
    """The page of a billing portal session."""
    return f"{base}/portal/{session_id}"


def invoice_url(base: str, invoice_id: str) -> str:
    """The page of an invoice, which is its hosted_invoice_url."""
    return f"{base}/invoices/{invoice_id}"


def invoice_pdf(base: str, invoice_id: str) -> str:
    """The invoice as a PDF."""
    return f"{base}/invoices/{invoice_id}.pdf"


def credit_note_pdf(base: str, note_id: str) -> str:
    """The credit note as a PDF."""
    return f"{base}/credit_notes/{note_id}.pdf"
