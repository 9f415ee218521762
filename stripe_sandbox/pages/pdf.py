"""A small PDF of text, made without a library.

Source: ISO 32000-1, 7.5 (file structure) and 9.6.2.2 (standard fonts).
"""

WIDTH, HEIGHT, MARGIN, LEADING, SIZE = 595, 842, 56, 17, 10
LINES_PER_PAGE = (HEIGHT - 2 * MARGIN) // LEADING
Line = tuple[str, str]
"""The text at the left, and the text in the column at the right."""


def pdf(title: str, lines: list[Line]) -> bytes:
    """Return a PDF with the title on each page and these lines below it."""
    room = LINES_PER_PAGE - 2
    chunks = [lines[n : n + room] for n in range(0, len(lines), room)] or [[]]
    contents = [_content(title, chunk) for chunk in chunks]
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(contents)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(contents)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for n, content in enumerate(contents):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] /Resources << /Font << /F1 3 0 R >> >> "
            f"/Contents {5 + 2 * n} 0 R >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    return _file(objects)


def _content(title: str, lines: list[Line]) -> bytes:
    top = HEIGHT - MARGIN
    parts = [_text(MARGIN, top, 16, title)]
    for n, (left, right) in enumerate(lines, 2):
        y = top - n * LEADING
        parts += [_text(MARGIN, y, SIZE, left[:70]), _text(WIDTH - MARGIN - 110, y, SIZE, right)]
    return b"\n".join(parts)


def _text(x: int, y: int, size: int, text: str) -> bytes:
    shown = text.encode("cp1252", "replace").replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)")
    return b"BT /F1 %d Tf %d %d Td (%s) Tj ET" % (size, x, y, shown)


def _file(objects: list[bytes]) -> bytes:
    """Return the objects, with the table of the byte at which each object begins."""
    body, places = b"%PDF-1.4\n", []
    for n, one in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (n, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return body + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (size, table, size, len(body))
    )
