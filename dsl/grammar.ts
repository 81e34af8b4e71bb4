/**
 * The grammar, for ohm, over tokens: every quoted terminal is one token (see tokens.ts), written as
 * the user writes it; `$id`, `$nat`, ... are token classes. Rule names are lower case because ohm
 * would otherwise look for white space, which the lexer has removed.
 *
 * Operator chains are flat (a ladder of precedence rules costs a PEG parser an order of magnitude);
 * precedence.ts makes trees of them. `$sep` is the end of a `let`, found by layout.ts. Binders are
 * tried before calls: `max(a, b)` has no dot after its names, so it is a call. Ranges of terminals
 * follow the order of the tables in tokens.ts: "sum".."$id" is any lowercase name.
 *
 * Nothing of this text is read at run time: ohm takes 150 ms and 25 MB to parse it. What ohm makes
 * of it is kept in grammar-recipe.ts and loaded by compiled-grammar.ts; after a change, write it again
 * with `npx vitest run test/dsl/grammar.test.ts -u`.
 */
export const grammarText = `
Tenon {
  decl        = (import | typeDecl | fnDecl | letDecl | derivative | checkGradient | check) end

  import      = "import" "{" commas<anyName> "}" "from" string
  typeDecl    = "type" up params? "=" type
  fnDecl      = "fn" id params? signature ":" type where? "=" block
  letDecl     = "let" id ":" type "=" block
  derivative  = "derivative" id "(" commas<id> ")" "=" block
  checkGradient = "check" "gradient" "of" id where?
  check       = "check" id params? signature where? "=" block

  signature   = "(" commas<arg>? ")"
  arg         = id ":" type ("=" block)?
  params      = "[" commas<param> "]"
  param       = up ("=" size)?
  where       = "where" fact ("," fact)*
  fact        = size relation size ("==" size)?
  relation    = "==" | "<=" | ">=" | "%"

  type        = typeArrow | typeAtom
  typeArrow   = "(" commas<type>? ")" "->" type  -- list
              | typeAtom "->" type               -- one
  typeAtom    = typeBase typeArgs*
  typeBase    = anyName                     -- name
              | "{" commas<typeField>? "}"  -- record
              | "(" type ")"                -- parens
  typeField   = "fixed" label ":" type  -- fixed
              | label ":" type          -- plain
  typeArgs    = "[" commas<typeArg> "]"
  typeArg     = up "=" typeArgValue  -- named
              | typeArgValue            -- plain
  typeArgValue = size &("," | "]")      -- size
              | type                    -- type

  size        = sizeAtom (sizeOp sizeAtom)*
  sizeOp      = "+" | "-" | "*" | "/" | "^"
  sizeAtom    = up         -- name
              | nat           -- nat
              | "(" size ")"  -- parens

  block       = ~"let" expr | lets
  lets        = let+ expr
  let         = "let" pattern (":" type)? "=" block "$sep"
  pattern     = id                      -- name
              | "{" commas<patternField> "}"  -- record
  patternField = label ":" pattern         -- renamed
              | id                      -- plain

  expr        = ~("(" | "sum".."_" "->") chain | lambda | chain
  lambda      = "sum".."_" "->" block                  -- one
              | "(" commas<bindName>? ")" "->" block   -- list
  chain       = head ~operator | operators
  operators   = operand (operator operand)*
  operator    = "+".."or"
  operand     = prefix* head
  prefix      = "-" | "not"
  head        = ~("for".."any") read
              | for | each | fold | reduceTree | reduce | if | side | read

  for         = "for" binders "$dot" block
  each        = "each" overTrees
  reduceTree  = reduction overTrees
  overTrees   = names "in" read ("," read)* "$dot" block
  reduce      = reduction binders "$dot" block
  fold        = ("fold" | "scan") pattern "=" expr "for" binder "$dot" block
  names       = bindName ("," bindName)*
  binders     = binder ("," binder)*
  binder      = "(" commas<binder> ")"  -- tuple
              | bindName (":" size)?    -- one

  if          = "if" expr "then" block "else" block

  side        = ("left" | "right") (side | read)
  read        = primary suffixes ("??" fallback)?
  fallback    = "-"? primary suffixes
  suffixes    = (~(~("("..".")) suffix)*
  suffix      = "." "$label"                     -- field
              | "[" commas<bracketArg> "]"       -- brackets
              | "(" commas<callArg>? ")"         -- call
  bracketArg  = up "=" block  -- named
              | block         -- plain
  callArg     = id "=" block  -- named
              | block         -- plain

  primary     = atom | parens | array | record
  atom        = "sum".."$id" | "$up" | "$nat" | "$num" | "true" | "false"
  parens      = "(" block ("," block)* ")"
  array       = "[" commas<item>? "]"
  item        = ".."? block
  record      = "{" commas<field>? "}"
  field       = label ":" block  -- full
              | id               -- short

  commas<x>   = x ("," x)* ","?

  reduction   = "sum".."any"
  id          = "sum".."$id"
  up          = "$up"
  anyName     = id | up
  bindName    = "sum".."_"
  label       = id | "$nat" | "import" | "type" | "fn" | "where" | "if" | "then" | "else" | "for"
              | "each" | "fold" | "scan" | "in" | "left" | "right" | "and" | "or" | "not"
              | "true" | "false"
  nat         = "$nat"
  string      = "$str"
}
`;
