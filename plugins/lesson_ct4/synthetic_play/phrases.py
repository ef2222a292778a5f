"""The closed classes of the synthetic play: auxiliaries, determiners, conjunctions, set phrases."""

from __future__ import annotations

from lesson_ct4.synthetic_play.scene import phrases

BE = {"1": "am", "2": "art", "3": "is", "p": "are"}
WAS = {"1": "was", "2": "wert", "3": "was", "p": "were"}
HAVE = {"1": "have", "2": "hast", "3": "hath", "p": "have"}
DO = {"1": "do", "2": "dost", "3": "doth", "p": "do"}
DID = {"1": "did", "2": "didst", "3": "did", "p": "did"}
MODALS = phrases("will|shall|may|would|must|can|should|might|could")
FAMILIAR = {"must": "must", "may": "mayst", "will": "wilt", "shall": "shalt"}
CONTRACTIONS = {
    "it is": "'tis", "it was": "'twas", "it will": "'twill", "it were": "'twere", "I will": "I'll",
    "he is": "he's", "you will": "you'll", "he will": "he'll", "we will": "we'll", "they will": "they'll",
    "she will": "she'll", "that is": "that's", "thou wilt": "thou'lt", "thou art": "thou'rt",
    "she is": "she's", "I would": "I'ld", "you are": "you're", "they are": "they're", "is it": "is't",
    "what is": "what's", "where is": "where's", "who is": "who's", "was it": "was't", "I have": "I've",
    "let us": "let's",
}  # fmt: skip
SINGULAR = phrases(
    "the|my|a|his|a|this|your|the|that|her|our|thy|no|every|some|their|such a|each|another|any|the king's|one"
)
PLURAL = phrases(
    "the|my|these|your|his|our|those|all|thy|her|their|two|no|such|some|three|many|ten|few|a thousand"
)
MASS = phrases("the|my|this|his|your|no|her|our|thy|much|that|all|some|such|their|more")
PREPOSITIONS = phrases(
    "of|to|in|with|for|to|from|by|on|upon|at|against|without|like|under|before|through|o'er|i' the|"
    "after|within|among|above|between|beyond|near|behind|about|beneath|unto|into|'gainst|'twixt"
)
TIMES = phrases(
    "to-night|this day|to-morrow|at last|of late|by and by|in time|all night|once more|this hour|"
    "before the dawn|ere noon|at supper time|these seven years|every morning|till doomsday|e'er now|"
    "ne'er so well|day by day"
)
CONJUNCTIONS = phrases(
    "if|when|that|as|for|though|since|till|where|because|ere|unless|while|lest|whilst|ere yet|until|"
    "wherever|now that|before|after|whenever|so long as|albeit"
)
JOINERS = phrases(
    ", and|, and|; |: |, but|: and|, for|, or|: and yet|, yet|; and|; but|, so|, nor|: for|; therefore"
)
OPENERS = phrases(
    "O|Nay|Why|Well|Then|But|And|Come|Now|Yet|So|Alas|Ay|No|Good|Indeed|What|Ah|How now|Fie|Marry|"
    "Hark|Lo|Peace|Truly|Soft|Go to|By my faith|I pray you|In truth|Believe me|By heaven|Faith|Tush|"
    "Hear me|Look you|Amen|Enough|Once more|Woe is me|Away|I tell you|On my life|Out upon it"
)
ANSWERS = phrases(
    "Ay|No|I know not|Not I|Most true|'Tis so|It may be|Never|I thank you|With all my heart|Even so|"
    "I warrant you|Nothing|As you please|Too well|Not yet|That I do|I cannot tell|It shall be done|"
    "Very well|Would it were so|By no means|Who knows|I care not|God forbid|No matter"
)
WH = phrases(
    "what|how|where|why|when|wherefore|whither|whence|for what cause|how long|to what end|by what means"
)
DEGREES = phrases("so|too|most|very|more|as|full|right|less|passing|ever|half|exceeding|nothing")
ENDS = phrases(".|.|.|!|;|:|.")
