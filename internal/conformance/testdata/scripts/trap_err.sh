trap 'echo err $?' ERR
false
true
(exit 3)
echo end
