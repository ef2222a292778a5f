"""The sentences of the synthetic play: a small probabilistic grammar with agreement, topics and address."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from lesson_ct4.synthetic_play import forms
from lesson_ct4.synthetic_play import phrases as tables
from lesson_ct4.synthetic_play.forms import Noun, Verb
from lesson_ct4.synthetic_play.lexicon import Lexicon
from lesson_ct4.synthetic_play.scene import Weighted

# The words, and the person that the verb agrees with: 1, 2, 3 or p (plural, or polite "you").
Subject = tuple[str, str]


class Grammar(Lexicon):
    """Generates random sentences for ``scene``, which must be set first."""

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        self._subjects = Weighted([
            (30, "I"), (17, "you"), (9, "he"), (8, "it"), (6, "we"), (6, "they"), (4, "she"), (4, "that"),
            (5, "name"), (32, "noun"),
        ])  # fmt: skip
        self._kinds: Weighted[Callable[[], str]] = Weighted([
            (56, self._statement), (17, self._question), (14, self._command), (6, self._exclamation),
            (3, self._wish), (4, self._maxim),
        ])  # fmt: skip
        self._predicates: Weighted[Callable[[str, int], str]] = Weighted([
            (30, self._acts), (19, self._is), (16, self._modal), (9, self._goes), (9, self._perfect),
            (9, self._thinks), (6, self._denies), (5, self._passive),
        ])  # fmt: skip

    def sentence(self) -> str:
        """Return one sentence with punctuation, without a capital at its start."""
        text = self._kinds.draw(self.random)()
        if self.chance(14):
            address = f" {self.address()}," if self.chance(25) else ""
            text = f"{tables.OPENERS.draw(self.random)},{address} {text}"
        if text[-1] in "?!":
            return text
        if self.chance(10):
            text += f", {self.address()}"
        return text + tables.ENDS.draw(self.random)

    def answer(self) -> str:
        """Return a short reply to the scene's last question, which may repeat its noun."""
        text = tables.ANSWERS.draw(self.random)
        if self.scene.asked and self.chance(60):
            text += f", {self.chosen('the', 'my', self._your())} {self.scene.asked}"
        elif self.chance(40):
            text += f", {self.address()}"
        return text + self.chosen(".", ".", "!", ":")

    # --- phrases ---

    def _noun_phrase(self, depth: int, noun: Noun | None = None) -> Subject:
        noun = noun or self._noun()
        number, head = "3", noun.singular
        if not noun.plural:
            determiner = tables.MASS.draw(self.random)
        elif self.chance(27):
            determiner, number, head = tables.PLURAL.draw(self.random), "p", noun.plural
        else:
            determiner = tables.SINGULAR.draw(self.random)
        if determiner in ("thy", "your"):
            determiner = self._your()
        if self.chance(34):
            head = f"{self._adjective(noun)} {head}"
            if self.chance(8):
                head = f"{self._adjective()}, {head}"
        elif self.chance(3):
            whose = self._determined(determiner, head)
            head, number = f"{forms.quality(self._plain_adjective())} of {whose}", "3"
            determiner = self.chosen("the", "all the", "such")
        text = self._determined(determiner, head)
        if self.chance(3):
            text = f"{self.chosen(*[person.reference for person in self.scene.cast])}'s {head}"
        if depth < 2:
            if self.chance(14):
                text += f" of {self._noun_phrase(depth + 1)[0]}"
            elif self.chance(7):
                text += self._relative(number, depth + 1)
            elif depth == 0 and self.chance(9):
                return f"{text} and {self._noun_phrase(depth + 1)[0]}", "p"
        return text, number

    @staticmethod
    def _determined(determiner: str, head: str) -> str:
        if determiner == "a" or determiner.endswith(" a"):
            determiner = determiner[:-1] + forms.article(head)
        return f"{determiner} {head}"

    def _relative(self, number: str, depth: int) -> str:
        if self.chance(50):
            who = self.chosen("that", "which", "who")
            return f" {who} {self._predicates.draw(self.random)(number, depth + 1)}"
        whom = self.chosen("that", "which", "whom")
        subject, person = self._subject(depth + 1)
        return f" {whom} {subject} {self._finite(self._act(), person)}"

    def _subject(self, depth: int) -> Subject:
        kind = self._subjects.draw(self.random)
        if kind == "noun":
            return self._noun_phrase(depth)
        if kind == "name":
            return self.chosen(*[person.reference for person in self.scene.cast]), "3"
        if kind == "I":
            return "I", "1"
        if kind == "you":
            return ("thou", "2") if self.scene.familiar else ("you", "p")
        return kind, "p" if kind in ("we", "they") else "3"

    def _object(self, verb: Verb | None, depth: int) -> str:
        roll = self.random()
        if roll < 0.34:
            you = "thee" if self.scene.familiar else "you"
            return self.chosen("me", "me", "me", you, you, "him", "him", "it", "it", "her", "us", "them")
        if roll < 0.39:
            return self.chosen(*[person.reference for person in self.scene.cast])
        noun = None
        if verb in self._objects and roll < 0.68:
            noun = self._objects[verb].draw(self.random)
        return self._noun_phrase(depth, noun)[0]

    def _adjunct(self, depth: int) -> str:
        roll = self.random()
        if roll < 0.10:
            return " " + self._adverb()
        if roll < 0.27 and depth < 3:
            preposition = tables.PREPOSITIONS.draw(self.random)
            phrase = self._noun_phrase(depth + 1)[0]
            if preposition == "i' the":
                phrase = self._noun().singular
            return f" {preposition} {phrase}"
        if roll < 0.34 and depth < 2:
            return f" to {self._bare(depth + 2)}"
        if roll < 0.37:
            return " " + tables.TIMES.draw(self.random)
        return f" {self.chosen('in', 'to', 'from', 'of', 'at')} {self.scene.place}" if roll < 0.39 else ""

    def _finite(self, verb: Verb, person: str) -> str:
        if self.chance(36):
            if person == "2":
                return f"didst {verb.base}"
            return forms.elided(verb.past) if self.chance(55) else verb.past
        if person == "2":
            return verb.second
        if person == "3":
            return verb.third_old if self.chance(14) else verb.third
        return verb.base

    def _bare(self, depth: int) -> str:
        if self.chance(25):
            return self._motion().base + self._adjunct(depth)
        verb = self._act()
        return f"{verb.base} {self._object(verb, depth)}{self._adjunct(depth)}"

    # --- predicates: what follows a subject of the given person ---

    def _acts(self, person: str, depth: int) -> str:
        verb = self._act()
        text, target = self._finite(verb, person), self._object(verb, depth)
        if target == "it" and text[-1] not in "sht" and self.chance(30):
            return f"{text}'t{self._adjunct(depth)}"
        return f"{text} {target}{self._adjunct(depth)}"

    def _goes(self, person: str, depth: int) -> str:
        return self._finite(self._motion(), person) + self._adjunct(depth) + self._adjunct(depth)

    def _is(self, person: str, depth: int) -> str:
        text = (tables.BE if self.chance(75) else tables.WAS)[person] + (" not" if self.chance(14) else "")
        roll = self.random()
        if roll < 0.45:
            degree = f"{tables.DEGREES.draw(self.random)} " if self.chance(35) else ""
            text += f" {degree}{self._plain_adjective() if degree else self._adjective()}"
            if degree in ("as ", "so ") and self.chance(50):
                return f"{text} as {self._noun_phrase(depth + 1)[0]}"
            if self.chance(15):
                return f"{text} to {self._bare(depth + 1)}"
            return text + self._adjunct(depth + 1)
        if roll < 0.8:
            return f"{text} {self._noun_phrase(depth)[0]}"
        preposition = tables.PREPOSITIONS.draw(self.random).replace("i' the", "in")
        return f"{text} {preposition} {self._noun_phrase(depth + 1)[0]}"

    def _modal_form(self, person: str) -> str:
        modal = tables.MODALS.draw(self.random)
        return modal if person != "2" else tables.FAMILIAR.get(modal, modal + "st")

    def _modal(self, person: str, depth: int) -> str:
        text = self._modal_form(person)
        if self.chance(20):
            text += f" {self.chosen('not', 'not', 'never', 'yet')}"
        if self.chance(18):
            return f"{text} be {self._adjective()}{self._adjunct(depth)}"
        return f"{text} {self._bare(depth)}"

    def _perfect(self, person: str, depth: int) -> str:
        verb = self._act()
        middle = f" {self.chosen('not', 'ever', 'so', 'never', 'oft', 'now')}" if self.chance(25) else ""
        participle = forms.elided(verb.participle) if self.chance(55) else verb.participle
        have = "has" if person == "3" and self.chance(20) else tables.HAVE[person]
        return f"{have}{middle} {participle} {self._object(verb, depth)}{self._adjunct(depth)}"

    def _thinks(self, person: str, depth: int) -> str:
        verb = self._finite(self._mental.draw(self.random), person)
        if depth > 1:
            return f"{verb} {self.chosen('it', 'so', 'not', 'nothing', 'well')}"
        return f"{verb}{self.chosen(' that', '', ' not', '')} {self._clause(depth + 1)}"

    def _denies(self, person: str, depth: int) -> str:
        if self.chance(30):
            verb = self._act()
            return f"{self._finite(verb, person)} not {self._object(verb, depth)}"
        return f"{(tables.DO if self.chance(70) else tables.DID)[person]} not {self._bare(depth)}"

    def _passive(self, person: str, depth: int) -> str:
        be = (tables.BE if self.chance(60) else tables.WAS)[person]
        text = f"{be} {forms.elided(self._act().participle)}"
        if self.chance(45):
            return f"{text} by {self._noun_phrase(depth + 1)[0]}"
        return text + self._adjunct(depth)

    # --- clauses and sentences ---

    def _contract(self, text: str) -> str:
        if self.chance(45):
            first, _, rest = text.partition(" ")
            second, _, rest = rest.partition(" ")
            short = tables.CONTRACTIONS.get(f"{first} {second}")
            if short and rest:
                return f"{short} {rest}"
        return text

    def _clause(self, depth: int) -> str:
        subject, person = self._subject(depth)
        return self._contract(f"{subject} {self._predicates.draw(self.random)(person, depth)}")

    def _dependent(self, depth: int) -> str:
        return f"{tables.CONJUNCTIONS.draw(self.random)} {self._clause(depth)}"

    def _statement(self) -> str:
        roll = self.random()
        if roll < 0.13:
            return f"{self._dependent(1)}, {self._clause(0)}"
        text = self._clause(0)
        if roll < 0.30:
            text += f"{self.chosen(' ', ', ')}{self._dependent(1)}"
        while self.chance(27):
            text += f"{tables.JOINERS.draw(self.random)} {self._clause(1)}".replace("  ", " ")
        return text

    def _question(self) -> str:
        noun = self._noun()
        self.scene.asked = noun.singular
        subject, person = self._noun_phrase(1, noun) if self.chance(30) else self._subject(1)
        target = self._noun_phrase(1, noun)[0]
        wh = f"{tables.WH.draw(self.random)} " if self.chance(48) else ""
        roll = self.random()
        if roll < 0.28:
            be = (tables.BE if self.chance(75) else tables.WAS)[person]
            rest = self._adjective() if self.chance(40) else target
            text = self._contract(f"{wh}{be} {subject}" + ("" if wh and self.chance(75) else f" {rest}"))
        elif roll < 0.42:
            who = self.chosen("who", "what", "who", f"what {self._noun().singular}")
            text = f"{who} {self._finite(self._act(), '3')} {target}"
        elif roll < 0.64:
            do = (tables.DO if self.chance(70) else tables.DID)[person]
            text = f"{wh}{do} {subject} {self._act().base} {target}"
        elif roll < 0.72 and person in "2p":
            text = f"{wh}{self._act()[0 if person == 'p' else 3]} {subject} {target}"
        elif roll < 0.82:
            text = f"{wh}{tables.HAVE[person]} {subject} {self._act().participle} {target}"
        else:
            text = f"{wh}{self._modal_form(person)} {subject} {self._bare(1)}"
        return text + (f", {self.address()}?" if self.chance(18) else "?")

    def _command(self) -> str:
        roll = self.random()
        if roll < 0.40:
            text = self._bare(0)
        elif roll < 0.60:
            who = self.chosen("us", "me", "him", "them", "us", self._noun_phrase(1)[0])
            text = self._contract(f"let {who} {self._bare(1)}")
        elif roll < 0.72:
            text = f"{self.chosen('do not', 'never', 'go', 'pray', 'come,')} {self._bare(0)}"
        elif roll < 0.84:
            wh = tables.WH.draw(self.random)
            text = f"{self.chosen('tell', 'show', 'teach', 'let')} me {wh} {self._clause(1)}"
        else:
            text = f"{self.chosen('give', 'bring', 'lend', 'leave', 'spare')} me {self._noun_phrase(0)[0]}"
        return text + (f", and {self._bare(1)}" if self.chance(18) else "")

    def _exclamation(self) -> str:
        roll, noun = self.random(), self._noun()
        if roll < 0.25:
            adjective = self._adjective(noun)
            seen = self.chosen("is this", "was there")
            return f"what {forms.article(adjective)} {adjective} {noun.singular} {seen}!"
        if roll < 0.55:
            return f"O {self._adjective(noun)} {noun.singular}!"
        if roll < 0.75:
            subject, person = self._subject(1)
            return f"how {self._plain_adjective()} {subject} {tables.BE[person]}!"
        if roll < 0.9:
            mine = self.chosen("my", "the", "her", "his", self._your())
            return f"{mine} {noun.singular}, {mine} {self._noun().singular}!"
        return f"{self._motion().base}, {self._motion().base}!"

    def _wish(self) -> str:
        roll = self.random()
        if roll < 0.4:
            return f"would {self._clause(1)}"
        if roll < 0.7:
            return f"may {self._noun_phrase(0)[0]} {self._bare(1)}"
        return f"{self.chosen('God', 'heaven', 'the gods')} {self._act().base} {self._object(None, 1)}"

    def _maxim(self) -> str:
        roll = self.random()
        if roll < 0.35:
            return f"{self.chosen('he', 'she')} that {self._acts('3', 1)} {self._modal('3', 1)}"
        if roll < 0.7:
            return f"no {self._noun().singular} is so {self._plain_adjective()} but {self._clause(1)}"
        first, second = self._plain_adjective(), self._plain_adjective()
        return f"as {first} as {self._noun_phrase(1)[0]}, and as {second} as {self._noun_phrase(1)[0]}"
