"""Offers as Chromium and other stacks write them."""

from pathlib import Path

CHROMIUM = (Path(__file__).parent / "chromium_offer.sdp").read_bytes().decode()


# Offers written for the tests as other stacks write them; the file names say what is special.
OFFERS = {
    path.stem: path.read_bytes().decode()
    for path in sorted((Path(__file__).parent / "offers").glob("*.sdp"))
}

# Recorded offers of other stacks; `offers/recorded/README.md` names their sources.
RECORDED = {
    path.stem: path.read_bytes().decode()
    for path in sorted((Path(__file__).parent / "offers" / "recorded").glob("*.sdp"))
}
