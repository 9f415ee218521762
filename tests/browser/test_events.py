"""An event that could not be applied is parked. Staff put it back, and the worker applies it."""

from playwright.sync_api import Page, expect

from tests.browser import site as sites
from tests.browser import steps

PARK = """
from billing.findings import report
from billing.models import Office, ReceivedEvent
customer = Office.objects.get(name={name!r}).payment_provider_customer_id
event = ReceivedEvent.objects.filter(customer_id=customer, status="applied").first()
why = "The invoice could not be read"
ReceivedEvent.objects.filter(pk=event.pk).update(status="parked", attempts=12, alone=True, last_error=why)
report("event_parked", event.stripe_id, office=None, detail=f"{{event.type}}: {{why}}")
"""


def test_a_parked_event_is_put_back_and_applied(staff: Page, site: sites.Site) -> None:
    name = steps.add_office(staff)
    steps.subscribe(staff, steps.PRACTICE)
    site.stack.manage("shell", "--verbosity=0", "-c", PARK.format(name=name))

    staff.goto(f"{sites.lists()['receivedevent']}?status__exact=parked")
    expect(staff.locator("#result_list")).to_contain_text("The invoice could not be read")
    event = sites.first_row(staff)
    staff.get_by_role("link", name="Put all parked events back").click()
    steps.press(staff, "Put them back")
    steps.says(staff, "Events that will be read again: 1.")

    staff.goto(event)
    steps.comes_to_say(staff, "applied")
    staff.goto(f"{sites.lists()['receivedevent']}?status__exact=parked")
    expect(staff.locator("#result_list")).to_have_count(0)
