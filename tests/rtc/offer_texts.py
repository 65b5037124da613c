"""Offers as Chromium and other stacks write them."""

from pathlib import Path

CHROMIUM = (Path(__file__).parent / "chromium_offer.sdp").read_bytes().decode()


# Offers as other stacks write them; what they are is in the file's name.
OFFERS = {
    path.stem: path.read_bytes().decode()
    for path in sorted((Path(__file__).parent / "offers").glob("*.sdp"))
}

# Offers that other stacks wrote; `offers/recorded/README.md` names their sources.
RECORDED = {
    path.stem: path.read_bytes().decode()
    for path in sorted((Path(__file__).parent / "offers" / "recorded").glob("*.sdp"))
}
