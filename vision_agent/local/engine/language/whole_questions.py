"""Questions about the frame whose form alone tells the intent, whatever their noun. Pure.

They are matched before the nearest examples: "can I park here" is answered by a sign, but is near
in meaning to questions that nothing in view answers. Each needs a word that points at the frame
("this", "here"). Without one it is a question about the world: "who wrote Hamlet".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vision_agent.local.contract import Request
from vision_agent.local.engine.language.normalisation import normalise, plain
from vision_agent.local.engine.language.phrase_rules import COLOURS

_THIS = r"(?:this|that|these|those|it|they)"
_THE = rf"(?:{_THIS}|the)(?: \w+){{0,2}}"
_PLACE = (
    "place|shop|store|restaurant|cafe|bar|pub|hotel|museum|church|school|street|road|square|park"
    "|station|stop|town|village|city|bridge|office|library|pool|bakery|pharmacy|bank"
)
_CLOSED = (
    "box|bottle|can|tin|jar|packet|package|pack|parcel|carton|tube|container|sachet"
    "|medicine|drink|food|product|sauce|soup|snack|cereal"
)
_BOOKISH = (
    "book|novel|article|letter|magazine|paper|note|card|poem|album|record|game|film|movie|dvd|cd"
)
_WIDE = (
    "animal|bird|bug|building|creature|dish|fish|flower|food|fruit|gadget|insect|instrument|machine"
    "|monument|pet|plant|tool|tree|vegetable|vehicle"
)
_SORT = r"(?P<sort>breed|species|brand|make|model|variety)"
_HUMAN = r"(?:\w+ )?(?:person|man|woman|guy|boy|girl|child|kid|lady|people|men|women|children)"
_OTHER = rf"(?:he|she|they|(?:the|that|this|those|these) {_HUMAN}(?: (?:on|in|at) the \w+)?)"
_BACKGROUND = "sky|wall|walls|background|floor|ceiling|ground|grass|road|water|sea|carpet|lawn|snow"
_HAPPENS = (
    "(?:moves|comes|appears|leaves|disappears|changes|happens|falls|enters|arrives|walks|goes|passes"
    "|runs|flies|shows up|turns up|touches|takes|opens|knocks)"
)
_FOLK = "(?:people|persons|folks|folk|kids|children|men|women|boys|girls|guys|customers|of us)"
_COLOURED = r"(?P<object>(?:this|that|these|those|it|they|the|my|our)(?: \w+){0,3}?)"
_COLOUR = rf"(?P<colour>{'|'.join(COLOURS)})"
_FORGET = "(?:forget|delete|erase|wipe|clear|remove|take|drop)"
_NAME = r"(?:\w+ ){0,2}?\w+"
_PETS = (
    "dog|puppy|cat|kitten|hamster|rabbit|bunny|guinea pig|parrot|bird|budgie|horse|pony|turtle"
    "|tortoise|goldfish|fish|mouse|rat|snake|lizard|teddy|teddy bear|doll|robot|toy"
)

_QUESTIONS = tuple(
    (intent, re.compile(phrase))
    for intent, phrases in {
        "printed": (
            r"(?:can|may|could|should|is it|am|are|do|must) (?:i |we |you |people |one )?(?:be )?"
            r"(?:allowed |okay |ok |legal |permitted |have |need |possible |pay )*(?:to )*"
            r"(?:park|smoke|swim|camp|fish|enter|go in|drive|cycle|skate|eat|stop|wait|turn)"
            r"(?:ing)?(?: (?:my|a|the) \w+)? (?:here|there|in here|this way|on this \w+)",
            r"(?:is|are) (?:\w+ ){1,2}(?:allowed|permitted|forbidden|prohibited)"
            r" (?:here|there|in here)",
            rf"what is the (?:name|title|author) of {_THIS} (?:\w+ )?(?:{_PLACE}|{_BOOKISH})",
            rf"what is (?:this|that) (?:{_PLACE}|{_BOOKISH}) called",
            rf"(?:what|which) (?:{_PLACE}) is (?:this|that)",
            rf"what does {_THE} (?:contain|have in it)",
            rf"(?:what are |tell me |read )?(?:the )?ingredients(?: (?:of|in|on) {_THE})?",
            rf"how (?:much|many \w+) (?:does|do) {_THE} (?:weigh|contain|have|hold)(?: in it)?",
            rf"how (?:heavy|strong) (?:is|are) {_THIS}(?: \w+)?",
            rf"how much (?:\w+ ){{1,2}}(?:is|are) in {_THE}",
            rf"how many (?:calories|grams|pieces|pages|servings|tablets|pills|watts|volts|litres)"
            rf"(?: (?:does|do|are|is).*\b(?:this|it|that|here|the (?:{_CLOSED}))\b.*|)",
            r"how (?:many (?:\w+ )?(?:tablets|pills|drops|spoons|capsules)|much(?: of (?:this|it))?"
            r"|often|many of (?:these|them|those)) (?:do|should|can|must|may) (?:i|you|we|one) take"
            r"(?: (?:this|it|them|these|a day|of this|of it).*)?",
            rf"how (?:do|long do|should|long should) (?:i|you|we) (?:use|cook|wash|boil|heat|bake"
            rf"|take|prepare|assemble|open|microwave) {_THIS}(?: \w+)?",
            rf"what (?:is|are) (?:the|its|this) (?:\w+ )?(?:dosage|dose|weight|flavour|size|isbn"
            r"|voltage|opening hours|opening times"
            rf"|instructions|nutrition facts)(?: (?:of|on|for|here) {_THE}|)",
            r"(?:what|which) (?:flavour|size|street|number|page|platform|bus|line|floor) (?:is|are)"
            rf" {_THIS}(?: \w+)?",
            r"(?:when|until when|at what time|what time|how late) (?:does|do|is|are|will)"
            rf" (?:{_THIS}|(?:the|this|that) (?:{_PLACE})) (?:be )?(?:open|closed?|shut)"
            r"(?: today| tomorrow| on \w+)?",
            rf"is (?:this|that|the) (?:{_PLACE}) (?:open|closed)(?: today| now| on \w+)?",
            rf"who (?:wrote|published|is the (?:author|publisher) of) (?:this|that|it|the"
            rf" (?:{_BOOKISH}))(?: (?:{_BOOKISH}))?",
            rf"who (?:made|makes|produced|manufactured|is the maker of) (?:this|that|it)"
            rf"(?: (?:{_CLOSED}|machine|device|phone|laptop|camera|watch))?",
            rf"who (?:is|was) {_THE} (?:from|by|addressed to|sent by)|who (?:sent|signed) {_THE}",
            r"whose (?:name|address|signature|handwriting) is (?:this|that|it|on (?:this|the) \w+)",
            rf"(?:is|are) {_THE} (?:vegan|vegetarian|halal|kosher|organic|\w+ free)",
            rf"(?:at )?what temperature (?:do|should|can|must) (?:i|you|we) \w+ {_THIS}(?: at)?",
            rf"(?:does|do) {_THE} (?:say|mention)"
            r" (?:anything|something|how|when|where|what)(?: .+)?",
            r"where (?:am i|are we)",
        ),
        "expiry": (
            rf"(?:how long|until when) (?:does|do|will|can) {_THIS}(?: \w+)? (?:keep|last)",
            rf"(?:is|are) {_THE} (?:past (?:its|their|the) (?:\w+ ){{0,3}}date|out of date"
            r"|gone off)",
        ),
        "moving": (
            rf"(?:is|are) (?P<object>{_THIS}|(?:the|my|our|your) (?:\w+ ){{0,2}}\w+)"
            r" (?:moving|going|heading|walking|running|driving|flying|turning) (?:to the )?"
            r"(?:left|right|up|down|in|away)(?: or (?:to the )?(?:left|right|up|down|out|closer))?",
        ),
        "people": (
            rf"how many {_FOLK} (?:are(?: there)?|(?:do|can) you see|is|have i got)(?: (?:standing"
            r"|sitting|waiting|playing|left))?(?: (?:in|at|on|by|around|behind|near) (?:the|this|my"
            r"|our|that) (?:\w+ )?\w+| (?:here|there|in here|out there|behind me|with me))"
            r"(?: (?:now|with me))?",
        ),
        "is_colour": (
            rf"(?:would you |do you )?(?:say|think|call) (?:that )?{_COLOURED} (?:is|are) {_COLOUR}"
            r"(?: or not)?",
            rf"{_COLOURED} (?:is|are) {_COLOUR} (?:is|are) not (?:it|they)",
            rf"(?:is|are) {_COLOURED} {_COLOUR} or (?:am i|are my eyes) .+",
        ),
        "clock": (
            r"is it (?:(?:already|nearly|past|after) )?(?:\w+ ){1,3}oclock(?: yet| already| now)?",
            r"is it (?:noon|midnight|(?:half|quarter) (?:past|to) \w+)(?: yet| already)?",
        ),
        "bye": (r"good ?night(?: then)?|(?:talk to|see|catch) you (?:later|soon|tomorrow) then",),
        "forget": (
            rf"{_FORGET} (?P<whose>my|our|the) (?P<name>{_NAME}) (?:from|out of) (?:your |the )?"
            r"(?:memory|list)",
            r"(?:you (?:can|may) )?forget(?: about)? (?P<whose>my|our) (?P<name>(?:\w+ ){0,2}?\w+)"
            r"(?: (?:i|it is|it has|we) (?:\w+ ){0,4}\w+)?",
            r"you (?:can|may) (?:forget|delete|drop) (?:this|that)(?: one| thing)?"
            r"(?: (?:it is|i|we) .+)?",
            r"(?:forget|delete|erase|wipe|clear) (?:everything|all)(?: of it)?"
            r"(?: (?:that )?you(?: have)? (?:know|learned|learnt|remember))?",
            r"(?:forget|delete|erase|wipe|clear) (?:your memory"
            r"|(?:everything |all )?(?:that |what )?i(?: have)? (?:taught|told|shown|showed) you)",
        ),
        "how_to_teach": (
            r"how (?:can|do|could|should) i (?:make|get|train) you (?:to )?"
            r"(?:remember|recognise|know|learn|identify) .+",
        ),
        "watch": (
            r"(?:tell|warn|alert|notify|inform|ping) me (?:when|if|as soon as|once|the moment)"
            r" (?P<event>(?!(?:i|you|we|he|she|they) )(?:\w+ ){1,4}(?:moves?|comes?(?: in)?"
            r"|arrives?|appears?|leaves?|disappears?|changes?|falls?|opens?|closes?|goes \w+"
            r"|is (?:gone|back|empty|full|open|closed|there|here)))",
            rf"(?:tell|warn|alert|notify|inform) me (?:when|if|as soon as|once)"
            rf" (?P<event>(?:some|any)(?:thing|one|body) {_HAPPENS}(?: .+)?)",
            r"(?:.+ (?:and|so|please) )?(?:speak up|shout|holler|(?:give me|gimme|give us) a shout)"
            r" (?:when|if|as soon as|once) (?P<event>.+)",
            r"(?:if|when|once|as soon as|the moment|whenever)"
            r" (?P<event>(?!(?:i|you|we) )(?:\w+ ){2,10}?)"
            r"(?:(?:please|would you|could you|can you) )*"
            r"(?:(?:tell|inform|warn|alert|notify|ping) me|let me know"
            r"|say something|speak up|(?:give me|gimme) a shout)",
        ),
        "stop_watch": (
            r"(?:\w+ ){0,4}?(?:stop|quit|cancel|end) (?:watching|monitoring|looking out"
            r"|keeping (?:an eye|watch)|telling me (?:when|if)|(?:the|that|this) (?:watch|alert))"
            r"\b.*",
            r"(?:.+ )?(?:no need|(?:do|need|must) not|no longer)\b.*"
            r"\b(?:watch|watching|keep watch|keep(?:ing)? an eye|look(?:ing)? out)\b.*"
            r" (?:any ?more|no more|any longer|now)\b.*",
        ),
        "remind": (
            r"(?:(?:can|could|would|will) you )?remind me (?:in|at|after) .+",
            r"(?:ping|wake|nudge|tell|call) me(?: up)? (?:in|after) (?:\w+ ){1,3}"
            r"(?:seconds?|minutes?|hours?)\b.*",
            r"(?:in|after) (?:\w+ ){1,3}(?:seconds?|minutes?|hours?)"
            r" (?:tell|remind|ping|wake|nudge) me\b.*",
        ),
        "see_me": (r"(?:can|do) you see my face(?: \w+){0,2}",),
        "what_is": (r"name (?:this|that) \w+ for (?:me|us|the \w+)(?: please)?",),
        "where": (
            r"(?:where|whereabouts)(?: exactly| in the \w+)? is"
            r" (?P<target>(?:the|a|any) (?:q r code|qr code|qr|bar code|barcode))"
            r"(?: (?:on|in|at) .+)?",
        ),
        "code": (
            r".*\b(?:q r|qr|barcode|bar code)\b.*"
            r"\bwhat is (?:in|on|behind|inside) (?:it|this|that)",
        ),
        "who": (
            r"is this an? (?:bot|chatbot|ai|recording)(?: or .+)?",
            r"(?:who|whom|what) am i (?:talking|speaking|chatting) (?:to|with)",
        ),
        "help": (
            r"i (?:do not know|am not sure) (?:what|how) (?:to|i (?:should|can)) (?:say|ask)"
            r"(?: (?:to )?you| here| now)?",
        ),
        "voice": (
            r"i can (?:not|hardly|barely|only just) hear you"
            r"(?: (?:properly|clearly|(?:very )?well))?",
            r"not so (?:fast|loud|quick|quickly)|an? (?:bit|little) (?:louder|slower|quieter)",
        ),
        "repeat": (
            r"i (?:did not|could not) (?:quite |really )?(?:hear|catch|get|understand|follow)"
            r" (?:that|you|what you (?:just )?said)",
            r"i missed (?:that|what you (?:just )?said)",
        ),
        "see": (
            r"is there (?:anything|something) (?:around(?: me)?|in front of (?:me|you|the camera)"
            r"|on (?:the|this|my) (?:table|floor|desk|shelf|wall))",
        ),
        "inside": (rf"what is (?:in|inside|inside of) (?:this|that|the|my) (?:{_CLOSED})",),
        "what_kind": (
            rf"(?:what|which) {_SORT} (?:is|are) {_THIS}(?: (?P<object>\w+(?: \w+)?))?",
            rf"(?:what|which) {_SORT} of (?P<object>\w+(?: \w+)?) (?:is|are) {_THIS}(?: \w+)?",
            rf"(?:what|which) {_SORT} (?:is|are) (?:the|my|your|our) (?P<object>\w+(?: \w+)?)",
            rf"what is (?:the|its) {_SORT}(?: of {_THIS}(?: (?P<object>\w+))?)?",
            rf"what (?:is|are) {_THIS} (?P<object>(?:{_WIDE})s?)",
            rf"(?:what|which) (?P<object>(?:{_WIDE})s?) (?:is|are) {_THIS}",
        ),
        "others": (
            rf"what (?:is|are) {_OTHER} (?P<hold>holding|carrying|eating|drinking|reading)"
            r"(?: (?:here|there|in (?:his|her|their) hands?))?",
            rf"what (?:is|are) {_OTHER} (?:doing|wearing"
            r"|playing|looking at|pointing at)(?: (?:here|there|in (?:his|her|their) hands?))?",
            rf"what (?:does|do) {_OTHER} (?P<hold>hold|carry|have in (?:his|her) hands?)",
            rf"what (?:does|do) {_OTHER} (?:wear|have on)",
            rf"what is in (?P<hold>(?:his|her|their|the {_HUMAN}s?) hands?)",
            rf"(?:which|what) clothes (?:is|are|does|do) {_OTHER} (?:wear|wearing)",
        ),
        "background": (
            rf"(?:what|which) colour (?:is|are|does) (?:the|this|that|my) (?P<object>{_BACKGROUND})"
            r"(?: (?:have|here|there|behind me|behind (?:him|her|it|them)|outside))?",
            rf"what is the colour of (?:the|this|that|my) (?P<object>{_BACKGROUND})",
        ),
        "teach": (
            rf"(?:this|that|it|he|she) is (?P<whose>my|our) (?P<name>(?:{_PETS}) \w+(?: \w+)?)",
        ),
    }.items()
    for phrase in phrases
)

_NO_NAMES = frozenset(
    """is was has and or but not food in on at with from who that which for to of again over under
    he she it we you they loves likes wants needs bed house toy toys bowl""".split()  # noqa: SIM905
)
"""Words after "my dog" that do not name it."""


def whole_question(text: str) -> Request | None:
    """The request that the form of a whole sentence makes; None if it has none of these forms."""
    return next(_found(text), None)


def _found(text: str) -> Iterator[Request]:
    for sentence in dict.fromkeys((normalise(text), plain(normalise(text)))):
        for intent, pattern in _QUESTIONS:
            found = pattern.fullmatch(sentence)
            if found is None:
                continue
            slots = {slot: said.strip() for slot, said in found.groupdict().items() if said}
            if intent == "teach" and _NO_NAMES & set(slots["name"].split()):
                continue
            yield Request(intent, slots, loose=intent != "teach")
