"""Buys by the client that openapi-python-client generates from the shop's own description, and reads the order back.

use: python client.py ADDRESS FOLDER, where FOLDER holds the generated package `souk_client`.
Whatever such a client cannot read or send raises here, and ends this with exit code 1.
"""

import importlib
import inspect
import pkgutil
import sys
import uuid

ADDRESS, FOLDER = sys.argv[1:]
sys.path.insert(0, FOLDER)

import souk_client.api as api  # noqa: E402
from souk_client import Client, models  # noqa: E402
from souk_client.types import Unset  # noqa: E402

# An answer of a status that the description does not name raises too.
client = Client(base_url=ADDRESS, raise_on_unexpected_status=True)


def operation(tag, name):
    return importlib.import_module(f"souk_client.api.{tag}.{name}")


def call(tag, name, expected=None, **arguments):
    """Calls an operation and gives what it answers, which must be of the expected kind."""
    answer = operation(tag, name).sync(client=client, **arguments)
    if expected is not None:
        assert isinstance(answer, expected), f"{name} answered {answer!r}"
    return answer


def key():
    return str(uuid.uuid4())


def reads():
    """Every operation that only reads and needs nothing said answers what its description promises."""
    count = 0
    for tag in pkgutil.iter_modules(api.__path__):
        package = importlib.import_module(f"souk_client.api.{tag.name}")
        for module in pkgutil.iter_modules(package.__path__):
            name = importlib.import_module(f"souk_client.api.{tag.name}.{module.name}")
            if not hasattr(name, "sync"):
                continue
            required = [
                parameter
                for parameter in inspect.signature(name.sync).parameters.values()
                if parameter.default is inspect.Parameter.empty and parameter.name != "client"
            ]
            if required or name._get_kwargs()["method"] != "get":
                continue
            assert name.sync(client=client) is not None, module.name
            count += 1
    return count


call("session", "begin_guest_session", models.SessionView)
found = call("search", "search", q="bowl", sort=models.Sort.PRICE_ASCENDING, currency_code=models.CurrencyCode.GBP, limit=5)
card = found.products[0]
product = call("products", "get_product", slug=card.slug)
variant = next(v for v in product.variants if v.stock and v.stock.left != models.Left.NONE)
call("cart", "add_cart_line", models.Added, body=models.Add(sku=variant.sku, quantity=1), idempotency_key=key())
cart = call("cart", "get_cart")
line = cart.lines[0]
version = f'"v{cart.version}"'
cart = call("cart", "set_cart_line", line_id=line.line_id, body=models.Quantity(quantity=2), if_match=version, idempotency_key=key())
assert cart.quantity == 2, cart
address = models.AddressInput(
    recipient="Ada Lovelace",
    lines=["12 St James Square"],
    city="London",
    postal_code="SW1Y 4JH",
    country_code=models.AddressInputCountryCode.GB,
)
wanted = models.Wanted(destination=address, contact_email="ada@example.com", currency_code=models.CurrencyCode.GBP)
quote = call("quotes", "create_quote", models.QuoteScreen, body=wanted)
methods = call("payment_methods", "list_payment_methods", models.PaymentMethods).payment_methods
place = models.Place(quote_token=quote.quote_token, payment_method=methods[0].token)
placed = call("orders", "place_order", models.OrderScreen, body=place, idempotency_key=key())
assert placed.state == models.OrderStateView.CONFIRMED, placed
assert placed.total.to_dict() == quote.total.to_dict(), placed

order = call("orders", "get_order", order_id=placed.order_id)
assert (order.order_id, order.state) == (placed.order_id, models.OrderStateView.CONFIRMED), order
assert [line.sku for line in order.lines] == [variant.sku] and order.lines[0].quantity == 2, order
assert [option.value for option in order.lines[0].options] == [option.value for option in variant.options], order
assert not isinstance(order.progress, Unset) and models.OrderAction.CANCEL in order.actions, order
assert order.invoice_number == call("orders", "get_invoice", models.InvoiceScreen, order_id=order.order_id).number
listed = call("orders", "list_orders", models.OrdersScreen, state=models.OrderStateView.CONFIRMED)
assert [summary.order_id for summary in listed.orders] == [order.order_id], listed
history = call("orders", "get_order_history", models.HistoryScreen, order_id=order.order_id)
assert history.entries[-1].state == models.OrderStateView.CONFIRMED, history
assert call("cart", "get_cart").quantity == 0

# A refusal is read as one: the same quote again, and a field that is wrong.
refused = call("orders", "place_order", models.Problem, body=place, idempotency_key=key())
assert refused.code == "QUOTE_ALREADY_PLACED" and refused.facts["order_id"] == order.order_id, refused
address.city = " "
wrong = call("quotes", "create_quote", models.Problem, body=wanted)
assert wrong.errors[0].pointer == "/destination/city", wrong

cancelled = call("orders", "cancel_order", models.OrderScreen, order_id=order.order_id, idempotency_key=key())
assert cancelled.state == models.OrderStateView.CANCELLED, cancelled
account = models.NewCredentials(email=f"{uuid.uuid4().hex}@example.com", password="a bowl of warm soup")
call("accounts", "sign_up", models.SessionView, body=account, idempotency_key=key())
count = reads()
assert count >= 10, count
print(f"{order.order_id} was bought, read back and cancelled; {count} more operations were read")
