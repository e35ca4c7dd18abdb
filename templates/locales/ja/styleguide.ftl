# 画面部品
styleguide-line = 架空のデータです
styleguide-ai = AI支援 印 1
